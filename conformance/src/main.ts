/** `npm run conformance -- --command "…"`: tries a worker program against the rules of docs/protocol.md. */
import { parseArgs } from 'node:util';
import { readCases } from './cases.ts';
import { RULES, type Rule } from './rules.ts';
import { runKit, type KitReport } from './run-kit.ts';

const USAGE = `npm run conformance -- --command "<how to start the worker>" [--cases file.json] [--slots n]
    [--rules 9,12] [--env NAME=value]… [--json] [--verbose]
Ends with 0 when no rule failed, 1 when one did, 2 when the kit could not be run.`;
const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' } as const;

function print(report: KitReport): void {
  for (const { rule, title, verdict } of report.verdicts) {
    process.stdout.write(`${MARKS[verdict.state]} ${String(rule).padStart(2)}  ${title}\n`);
    if ('reason' in verdict) process.stdout.write(`         ${verdict.reason}\n`);
  }
  const count = (state: string): number => report.verdicts.filter(({ verdict }) => verdict.state === state).length;
  process.stdout.write(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
}

function rulesOf(list: string): Rule[] {
  const wanted = list.split(',').filter((text) => text !== '');
  const known = Object.keys(RULES).map(Number) as Rule[];
  return wanted.map((text) => {
    const rule = known.find((one) => String(one) === text.trim());
    if (rule === undefined) throw new Error(`there is no rule ${text}\n${USAGE}`);
    return rule;
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      command: { type: 'string' },
      cases: { type: 'string' },
      rules: { type: 'string', default: '' },
      slots: { type: 'string', default: '2' },
      env: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  });
  const slots = Number(values.slots);
  if (values.command === undefined || !Number.isInteger(slots) || slots < 1) throw new Error(USAGE);
  const env = Object.fromEntries(
    values.env.map((pair) => [pair.split('=')[0] ?? '', pair.slice(pair.indexOf('=') + 1)]),
  );
  const rules = rulesOf(values.rules);
  const cases = await readCases(values.cases);
  const onStep = (what: string): void => {
    if (values.verbose) process.stderr.write(`… ${what}\n`);
  };
  const report = await runKit({ command: values.command, cases, slots, rules, own: process.env, env, onStep });
  if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report);
  if (!report.passed && !values.json)
    process.stderr.write(`\nThe worker's last words:\n${report.said.slice(-2_000)}\n`);
  return report.passed ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
