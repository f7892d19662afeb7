import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readCases, runKit, type Cases, type KitReport, type Rule } from '../src/index.ts';

const examples = join(import.meta.dirname, '../../examples');
const worker = `node ${join(import.meta.dirname, 'worker.mjs')}`;
const CASES: Cases = {
  quick: { function: 'echo', input: { a: 1 }, result: { a: 1 } },
  slow: { function: 'slow', input: 1 },
  blob: { function: 'size', content: 'twelve bytes', result: 12 },
  big: { function: 'big' },
  fails: { function: 'fail', error: { kind: 'permanent', code: 'failed' } },
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

const rulesOf = ({ verdicts }: KitReport, state: string): Rule[] =>
  verdicts.flatMap(({ rule, verdict }) => (verdict.state === state ? [rule] : []));
const failed = (report: KitReport): Rule[] => rulesOf(report, 'failed');
const skipped = (report: KitReport): Rule[] => rulesOf(report, 'skipped');

/** Each fault, and the rule that it breaks. */
const FAULTS: readonly [fault: string, rule: Rule][] = [
  ['invalid-claim', 2],
  ['no-heartbeat', 15],
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
  ['ignores-cancel', 16],
  ['ignores-stale', 17],
  ['trusts-bytes', 19],
  ['big-inline', 20],
  ['new-blob-id', 20],
  ['ignores-drain', 22],
  ['does-not-leave', 23],
  ['dies-on-sigterm', 23],
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
    expect(skipped(report)).toEqual([21, 24, 25, 26]);
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
