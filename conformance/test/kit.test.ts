import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import { readCases, runKit, type Cases, type KitReport, type Rule } from '../src/index.ts';

const examples = join(import.meta.dirname, '../../examples');
const generic = join(import.meta.dirname, '../../workers/generic');
const worker = `node ${join(import.meta.dirname, 'worker.mjs')}`;
const CASES: Cases = {
  quick: { function: 'echo', input: { a: 1 }, result: { a: 1 } },
  slow: { function: 'slow', input: 1 },
  blob: { function: 'size', content: 'twelve bytes', result: 12 },
  big: { function: 'big' },
  fails: { function: 'fail', error: { kind: 'permanent', code: 'failed' } },
  checkpoint: { function: 'count', result: 5 },
  settings: { function: 'echo', valid: { n: 1 }, invalid: { n: 'one' } },
};
/** The same for the worker that is made with worker-kit. */
const KIT_CASES: Cases = {
  quick: { profile: 'echo', input: { a: 1 }, result: { a: 1 } },
  slow: { profile: 'slow', input: 1 },
  blob: { profile: 'size', content: 'some bytes\n', inputRepeat: 10_000, result: 110_000 },
  big: { profile: 'big' },
  fails: { profile: 'fail', error: { kind: 'business', code: 'refused' } },
  checkpoint: { profile: 'count', result: 5 },
  settings: { function: 'kit.echo', valid: { n: 1 }, invalid: { n: 'one' } },
};

const kit = (fault: string, rules: readonly Rule[]): Promise<KitReport> =>
  runKit({
    command: worker,
    cases: CASES,
    rules,
    own: process.env,
    env: { BREAK: fault },
    ...(rules.length > 0 ? { patienceMs: 8_000 } : {}),
  });

let services: TestServices;
beforeAll(async () => {
  services = await testServices();
});
afterAll(() => services.close());

const queueUrl = async (): Promise<string> => services.redisUrl ?? (await services.queueDatabaseUrl());

/** What the processes of a type made with worker-kit need beside be-api: a database of their own. */
const workerEnv = async (): Promise<Record<string, string>> => ({
  ...{ LOG_LEVEL: 'warn', STOP_TIMEOUT_MS: '5000' },
  WORKER_DATABASE_URL: await services.workerDatabaseUrl('conformance'),
  PROFILE_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
});

/** Tries the worker that is made with worker-kit: its two processes, a queue and a database of its own. */
async function kitOfWorkerKit(fault: string, rules: readonly Rule[]): Promise<KitReport> {
  const program = `${process.execPath} ${join(import.meta.dirname, 'kit-worker.ts')}`;
  return runKit({
    ...{ command: `${program} runner`, api: `${program} api`, cases: KIT_CASES, rules, own: process.env },
    queue: { url: await queueUrl() },
    env: { BREAK: fault, ...(await workerEnv()) },
  });
}

/** Runs the kit as people do; its exit code and what it printed. */
async function commandLine(args: readonly string[]): Promise<{ code: number | null; said: string }> {
  const main = join(import.meta.dirname, '../src/main.ts');
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
  return { code, said };
}

const rulesOf = ({ verdicts }: KitReport, state: string): Rule[] =>
  verdicts.flatMap(({ rule, verdict }) => (verdict.state === state ? [rule] : []));
const failed = (report: KitReport): Rule[] => rulesOf(report, 'failed');
const skipped = (report: KitReport): Rule[] => rulesOf(report, 'skipped');

/** Each fault, and the rule that it breaks. */
const FAULTS: readonly [fault: string, rule: Rule][] = [
  ['invalid-claim', 2],
  ['falls-silent', 3],
  ['hammers', 4],
  ['dies-when-away', 4],
  ['never-registers-again', 5],
  ['claims-too-much', 6],
  ['same-request-id', 6],
  ['new-request-id', 7],
  ['runs-twice', 8],
  ['no-ack', 9],
  ['ignores-refused-ack', 10],
  ['no-lease', 11],
  ['wrong-result', 11],
  ['rejects-new-members', 11],
  ['changes-the-end', 12],
  ['gives-an-end-up', 12],
  ['insists-on-409', 13],
  ['bad-kind', 14],
  ['holds-nothing', 15],
  ['forgets-what-it-reads', 15],
  ['ignores-cancel', 16],
  ['ignores-stale', 17],
  ['gives-a-blob-up', 18],
  ['trusts-bytes', 19],
  ['fails-for-good', 19],
  ['big-inline', 20],
  ['new-blob-id', 20],
  ['no-checkpoint', 21],
  ['forgets-its-checkpoint', 21],
  ['ignores-drain', 22],
  ['does-not-leave', 23],
  ['dies-on-sigterm', 23],
  ['rewrites-revisions', 24],
  ['forgets-the-deleted', 24],
  ['takes-any-settings', 25],
  ['writes-blindly', 25],
  ['lets-strangers-in', 25],
  ['tells-no-change', 26],
];
/** Faults of workers that every rule is tried with, and all the rules that they break. */
const SEEN_BY_ALL: readonly [fault: string, rules: readonly Rule[]][] = [
  ['no-heartbeat', [3, 15, 16, 17]],
  ['fails-for-good', [19]],
];

const has = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
/** A test that needs a program. In CI its absence is a failure, elsewhere a reason to pass over, which the title tells. */
const withProgram = (program: string, title: string, run: () => Promise<void>): void => {
  if (has(program) || (process.env['CI'] ?? '') !== '') test.concurrent(title, run);
  else test.concurrent.skip(`${title} (there is no ${program} here)`, run);
};
const example = async (folder: string, command: string, slots: number): Promise<KitReport> => {
  const cases = await readCases(join(examples, folder, 'conformance.json'));
  return runKit({ command, cases, slots, own: process.env });
};

// All in one room, the longest first: they run side by side.
describe('the kit', () => {
  withProgram('python3', 'passes the example in Python, profiles and checkpoints included', async () => {
    const report = await example('python-task-server', `python3 ${examples}/python-task-server/main.py`, 2);
    expect(report.verdicts.filter(({ verdict }) => verdict.state !== 'passed')).toEqual([]);
  });

  withProgram('curl', 'passes the example in shell, which has neither profiles nor checkpoints', async () => {
    const report = await example('shell-worker', `${examples}/shell-worker/worker.sh`, 1);
    expect(failed(report)).toEqual([]);
    expect(skipped(report)).toEqual([21, 24, 25, 26]);
  });

  test.concurrent('passes a worker that keeps the rules', async () => {
    const report = await kit('', []);
    expect(report.verdicts.filter(({ verdict }) => verdict.state === 'failed')).toEqual([]);
    expect(report.passed).toBe(true);
    expect(skipped(report)).toEqual([]);
  });

  test.concurrent.each(SEEN_BY_ALL)('tries every rule with the fault %s, and finds %j', async (fault, rules) => {
    const report = await kit(fault, []);
    expect(failed(report)).toEqual(rules);
    expect(skipped(report)).toEqual([]);
  });

  test.concurrent('passes a worker made with worker-kit by every rule that a queue knows', async () => {
    const report = await kitOfWorkerKit('', []);
    expect(report.transport).toBe('bullmq');
    expect(report.verdicts.filter(({ verdict }) => verdict.state === 'failed')).toEqual([]);
    expect(rulesOf(report, 'not-applicable')).toEqual([6, 7, 9, 10, 13]);
    expect(skipped(report)).toEqual([]);
  });

  test.concurrent('is run by its command line, and passes the generic worker through its own programs', async () => {
    // Given the two programs of the generic worker, a queue and a database
    const { code, said } = await commandLine([
      ...[
        '--command',
        `${process.execPath} ${generic}/src/runner.ts`,
        '--api',
        `${process.execPath} ${generic}/src/api.ts`,
      ],
      ...['--cases', join(generic, 'conformance.json'), '--queue', await queueUrl()],
      ...Object.entries(await workerEnv()).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ]);
    // Then no rule failed, and it is told what was not tried
    expect(said).not.toContain('FAIL');
    expect(code).toBe(0);
    expect(said).toMatch(/^ok {3}11 {2}completes a job with its result/mu);
    expect(said).toMatch(/^n\/a {3}6 {2}never claims more/mu);
    expect(said).toMatch(/^\d+ passed, 0 failed, \d+ skipped, 5 not applicable to a queue$/mu);
    expect(said).toContain('not tried, since the cases name no `big`: rule 20');
  });

  test.concurrent(
    'ends with 1 when a rule failed, with --strict when one was skipped, with 2 when it cannot run',
    async () => {
      const command = ['--command', worker];
      const [broken, strict, without] = await Promise.all([
        commandLine([...command, '--env', 'BREAK=invalid-claim', '--rules', '2']),
        commandLine([...command, '--strict', '--rules', '14']),
        commandLine(['--rules', '99', ...command]),
      ]);
      expect(broken.said).toMatch(/^FAIL {2}2 {2}sends only what/mu);
      expect([broken.code, strict.code, without.code]).toEqual([1, 1, 2]);
    },
  );

  test.concurrent.each<[string, Rule]>([
    ['ignores-its-signal', 16],
    ['takes-half-a-blob', 19],
  ])('finds a worker with a queue that has the fault %s by rule %i', async (fault, rule) => {
    expect(failed(await kitOfWorkerKit(fault, [rule]))).toEqual([rule]);
  });

  test.concurrent('says that a worker with a queue cannot be tried without one', async () => {
    const program = `${process.execPath} ${join(import.meta.dirname, 'kit-worker.ts')} runner`;
    const env = {
      WORKER_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
      PROFILE_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    };
    await expect(runKit({ command: program, cases: {}, own: process.env, env })).rejects.toThrow('from a queue');
  });

  test.concurrent.each(FAULTS)('finds a worker that has the fault %s by rule %i', async (fault, rule) => {
    const report = await kit(fault, [rule]);
    expect(failed(report)).toEqual([rule]);
    expect(report.passed).toBe(false);
  });

  test.concurrent('says that a worker that cannot even register breaks rule 1', async () => {
    const report = await kit('invalid-registration', [1, 2]);
    expect(failed(report)).toContain(1);
  });
});
