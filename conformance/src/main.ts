/** `npm run conformance -- --command "…"`: tries a worker program against the rules of docs/protocol.md. */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { testServices } from '@connecta/embedded';
import { readCases } from './cases.ts';
import { RULES, type Rule } from './rules.ts';
import { runKit, type KitReport } from './run-kit.ts';

const USAGE = `npm run conformance -- --command "<how to start the worker>" [--cases file.json] [--slots n]
    [--rules 9,12] [--env NAME=value]… [--api "<how to start the process that keeps its profiles>"]
    [--queue redis://… | --services] [--strict] [--json] [--verbose]
--queue says where a worker that takes its jobs from a queue may have one. --services starts a Redis, and a Postgres with
a profile database (WORKER_DATABASE_URL, PROFILE_ENCRYPTION_KEY), for the time of the trial.
Ends with 0 when no rule failed, 1 when one did (or, with --strict, was skipped), 2 when the kit could not be run.`;
const MARKS = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip', 'not-applicable': 'n/a ' } as const;

function print(report: KitReport): void {
  for (const { rule, title, verdict } of report.verdicts) {
    process.stdout.write(`${MARKS[verdict.state]} ${String(rule).padStart(2)}  ${title}\n`);
    if ('reason' in verdict) process.stdout.write(`         ${verdict.reason}\n`);
  }
  const count = (state: string): number => report.verdicts.filter(({ verdict }) => verdict.state === state).length;
  process.stdout.write(`\n${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
  const notApplicable = count('not-applicable');
  process.stdout.write(notApplicable > 0 ? `, ${notApplicable} not applicable to a queue\n` : '\n');
  for (const line of whySkipped(report)) process.stdout.write(`${line}\n`);
}

/** What was not tried, by what was missing: a worker that was hardly tried must not look like one that passed. */
function whySkipped({ verdicts }: KitReport): string[] {
  const skipped = verdicts.flatMap(({ rule, verdict }) =>
    verdict.state === 'skipped' ? [{ rule, reason: verdict.reason }] : [],
  );
  return [...Map.groupBy(skipped, ({ reason }) => reason)].map(([reason, rules]) => {
    const numbers = rules.map(({ rule }) => rule).join(', ');
    return `not tried, since ${reason}: ${rules.length === 1 ? 'rule' : 'rules'} ${numbers}`;
  });
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
      api: { type: 'string' },
      queue: { type: 'string' },
      services: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
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
  const { command, api, strict } = values;
  const services = values.services ? await openServices() : undefined;
  const url = values.queue ?? services?.queueUrl;
  const queue = url === undefined ? undefined : { url };
  const all = { ...services?.env, ...env };
  const trial = runKit({ command, api, queue, cases, slots, rules, own: process.env, env: all, onStep });
  const report = await trial.finally(() => services?.close());
  if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else print(report);
  if (!report.passed && !values.json)
    process.stderr.write(`\nThe worker's last words:\n${report.said.slice(-2_000)}\n`);
  const isTried = report.verdicts.every(({ verdict }) => verdict.state !== 'skipped');
  return report.passed && (isTried || !strict) ? 0 : 1;
}

/** What a worker that takes its jobs from a queue needs beside be-api. */
async function openServices() {
  const services = await testServices();
  return {
    queueUrl: services.redisUrl ?? (await services.queueDatabaseUrl('conformance')),
    env: {
      WORKER_DATABASE_URL: await services.workerDatabaseUrl('conformance'),
      PROFILE_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    },
    close: () => services.close(),
  };
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
