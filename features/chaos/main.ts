/** `npm run chaos`: breaks a whole system in every way it can and checks that nothing was lost (docs/faults.md). */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { History } from './history.ts';
import { FAULTS, SCENARIOS, runChaos } from './run-chaos.ts';
import { ChaosWorld } from './world.ts';

const usage = `npm run chaos -- [options]
  --seed <n>      the run's choices (a random one)
  --orders <n>    orders that flow while faults are injected (2000)
  --repeats <n>   how often each fault is injected (3)
  --only <ids>    faults and scenarios, by id, with commas between (all):
${[...FAULTS, ...SCENARIOS].map(({ id, title }) => `                  ${id.padEnd(5)}${title}`).join('\n')}
  --long          longer outages
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      orders: { type: 'string', default: '2000' },
      repeats: { type: 'string', default: '3' },
      only: { type: 'string' },
      long: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const [seed = 0, orders = 0, repeats = 0] = [values.seed, values.orders, values.repeats].map(Number);
  if (![seed, orders, repeats].every((number) => Number.isInteger(number) && number >= 0)) {
    throw new Error(`--seed, --orders and --repeats take whole numbers\n${usage}`);
  }
  const only = values.only?.split(',');
  const file = join(import.meta.dirname, '../../.connecta/chaos', `${new Date().toISOString()}-seed-${seed}.jsonl`);
  const history = new History(file);
  process.stdout.write(`seed ${seed}, ${orders} orders; history in ${file}\n`);
  const world = await ChaosWorld.start({ orchestrators: 2, runners: 3, slots: 10 });
  try {
    const report = await runChaos(world, { seed, orders, repeats, only }, history);
    history.write('report', { ...report });
    if (report.injections > 0) {
      process.stdout.write(
        `${report.orders} orders, all completed, one accepted result a step, every history replays\n` +
          `${report.injections} faults injected, ${report.hits} of them hit work under way\n` +
          `${report.attemptsAStep.toFixed(3)} attempts a step, ${report.lateReports} late reports refused\n`,
      );
    }
    for (const { id, title, seen } of report.scenarios) process.stdout.write(`${id} ${title}: ${seen}\n`);
    return 0;
  } catch (error) {
    history.write('failed', { error: String(error) });
    process.stderr.write(`seed ${seed} failed: ${String(error)}\n`);
    return 1;
  } finally {
    await world.stop();
    await history.close();
  }
}

process.exitCode = await main();
