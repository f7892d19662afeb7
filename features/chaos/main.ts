/** `npm run chaos`: breaks a whole system in every way it can and checks that nothing was lost (docs/faults.md). */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FULL, USUAL } from './extent.ts';
import { History } from './history.ts';
import { linesOf } from './report.ts';
import { FAULTS, runChaos, verify } from './run-chaos.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { ChaosWorld } from './world.ts';

const usage = `npm run chaos -- [options]
  --seed <n>      the run's choices (a random one)
  --orders <n>    orders that flow while faults are injected (${USUAL.orders}; ${FULL.orders} with --full)
  --repeats <n>   how often each fault is injected (${USUAL.repeats})
  --full          each fault as often as docs/faults.md says, and production's hold time: hours
  --replay <file> checks a run's history again, without any system
  --only <ids>    faults and scenarios, by id, with commas between (all):
${[...FAULTS, ...SCENARIOS.flat()].map(({ id, title }) => `                  ${id.padEnd(5)}${title}`).join('\n')}
`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      ...{ orders: { type: 'string' }, repeats: { type: 'string' }, only: { type: 'string' } },
      ...{ full: { type: 'boolean', default: false }, replay: { type: 'string' } },
      help: { type: 'boolean', default: false },
    },
  });
  const { seed, full, replay, help } = values;
  const extent = full ? FULL : USUAL;
  const numbers = [seed, values.orders ?? extent.orders, values.repeats ?? extent.repeats].map(Number);
  if (!numbers.every((number) => Number.isInteger(number) && number >= 0)) {
    throw new Error(`--seed, --orders and --repeats take whole numbers\n${usage}`);
  }
  const [seedNumber = 0, orders = 0, repeats = 0] = numbers;
  const run = { seed: seedNumber, orders, repeats, only: values.only?.split(',') };
  return { help, replay, run, extent: { ...extent, full: full && values.repeats === undefined } };
}

function replayFile(file: string): number {
  const kept = verify(file);
  if (kept.orders === 0) throw new Error(`${file} tells of no order`);
  process.stdout.write(`${linesOf({ kept, faults: [], recoveries: [], scenarios: [] }).join('\n')}\n`);
  return 0;
}

/** Rejects when the run is to end: what it started is stopped first, also what is still starting. */
const interrupted = new Promise<never>((_, reject) => {
  const end = (why: string): void => reject(new Error(why));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  process.on('disconnect', () => end('its parent is gone'));
});
interrupted.catch(() => undefined);
process.channel?.unref();

async function main(): Promise<number> {
  const { help, replay, run, extent } = readOptions();
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  if (replay !== undefined) return replayFile(replay);
  const { seed, orders } = run;
  const file = join(import.meta.dirname, '../../.connecta/chaos', `${new Date().toISOString()}-seed-${seed}.jsonl`);
  const history = new History(file);
  process.stdout.write(`seed ${seed}, ${orders} orders; history in ${file}\n`);
  const world = await ChaosWorld.start(extent);
  try {
    const report = await Promise.race([runChaos(world, run, history), interrupted]);
    history.write('report', { ...report });
    process.stdout.write(`${linesOf(report).join('\n')}\n`);
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

const code = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
});
// Clients of an interrupted run would go on asking for minutes.
process.exit(code);
