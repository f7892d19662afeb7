import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobId, JsonValue, OrderId } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import { answerWait, seedServiceAccounts } from '@connecta/store';
import { jobsOf } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

const file = (path: string): { file: { share: string; path: string } } => ({ file: { share: 'lab', path } });
const of = (workerType: string, needs: string[], more: Partial<PlannedStep> = {}): PlannedStep =>
  ({ ...scriptedStep(needs), workerType, uses: `${workerType}/x`, ...more }) as PlannedStep;
/** An expression that is a file. */
const forged = (path: string): string => `{"file": {"share": "lab", "path": "${path}"}}`;

describe('files of shares that a step names', () => {
  let harness: Harness;
  const seen: JsonValue[] = [];
  const begin = async (steps: Record<string, PlannedStep>, input: JsonValue): Promise<OrderId> => {
    const planId = await harness.plan({ steps, outputs: ['end'] });
    return (await harness.accept([{ planId, input }]))[0] as OrderId;
  };
  const ended = async (id: OrderId) => {
    await harness.ended([id]);
    const jobs = await harness.store.prisma.job.findMany({ where: { orderId: id } });
    return { jobs: Object.fromEntries(jobs.map((job) => [job.item > 0 ? `${job.step}#${job.item}` : job.step, job])) };
  };
  const refused = { state: 'error', error: { kind: 'permanent', code: 'file_not_allowed' } };

  beforeAll(async () => {
    harness = await Harness.start();
    for (const type of ['legacy', 'open']) await harness.workerType(type);
    await seedServiceAccounts(harness.databaseUrl, [
      { workerType: 'legacy', key: 'a', mayNameFiles: true },
      { workerType: 'open', key: 'b' },
    ]);
    await harness.orchestrator();
    for (const type of ['legacy', 'open']) {
      harness.worker(type, ({ data }) => {
        seen.push(data.file ?? data.value ?? null);
        // The params of the step say what it answers, else it is what it got.
        const value = data.params?.['answer'] ?? (data.file ? { file: data.file } : (data.value ?? null));
        return Promise.resolve({ value });
      });
    }
  });
  afterAll(() => harness.close());

  test('stand in the order, or in the result of a worker that may name files, and flow on from there', async () => {
    const made = of('legacy', [], { params: { answer: { out: [file('made')] } } });
    const id = await begin(
      {
        first: of('open', [], { with: 'input.list[0]' }),
        made,
        each: of('open', ['made'], { forEach: { items: 'steps.made.result.out', max: 5, onItemError: 'fail' } }),
        end: of('open', ['made', 'first'], { with: { a: 'steps.made.result.out[0]', b: 'input.list[0]' } }),
      },
      { list: [file('given')] },
    );
    const { jobs } = await ended(id);
    expect(jobs['first']?.result).toEqual(file('given'));
    expect(jobs['each#1']?.result).toEqual(file('made'));
    expect(jobs['end']?.result).toEqual({ a: file('made'), b: file('given') });
  });

  test('are refused when an expression, an answer or any other worker made them up', async () => {
    const said = of('open', [], { params: { answer: file('said') } });
    const inner = await harness.plan({ steps: { a: of('open', []) }, outputs: ['a'] });
    const id = await begin(
      {
        built: of('legacy', [], { with: forged('built') }),
        deep: of('open', [], { with: { list: [forged('deep')] } as never }),
        items: of('open', [], { forEach: { items: `[${forged('item')}, 1]`, max: 5, onItemError: 'continue' } }),
        said,
        passed: of('legacy', ['said']),
        child: { kind: 'order', needs: [], planId: inner, with: forged('child') } as never,
        childParams: { kind: 'order', needs: [], planId: inner, params: { a: forged('params') } } as never,
        ask: { kind: 'wait', needs: [], wait: { for: 'callback' } },
        answered: of('legacy', ['ask']),
        end: of('open', []),
      },
      1,
    );
    let ask: JobId | undefined;
    while (!ask)
      ask = (await jobsOf(harness, id)).find(({ step, state }) => step === 'ask' && state === 'waiting')?.id as JobId;
    await answerWait(harness.store, ask, 1, { by: 'x', at: new Date().toISOString(), value: file('answered') });
    const { jobs } = await ended(id);
    for (const step of ['built', 'deep', 'items#1', 'passed', 'child', 'childParams', 'answered']) {
      expect([step, jobs[step]]).toMatchObject([step, refused]);
    }
    expect(jobs['items#2']?.result).toBe(1);
    for (const path of ['built', 'deep', 'item', 'said', 'child', 'params', 'answered']) {
      expect(JSON.stringify(seen)).not.toContain(`"${path}"`);
    }
  });
});
