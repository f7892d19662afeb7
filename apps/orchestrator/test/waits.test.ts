import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type BlobId, type BlobRef, type JobId, type JsonValue, type OrderId } from '@connecta/contracts';
import type { OrderStep, PlannedStep, WaitStep } from '@connecta/domain';
import { answerWait, cancelWithChildren, requestCancel } from '@connecta/store';
import { endWaits } from '../src/wait/end-waits.ts';
import { expectConsistent, jobsOf, launch } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

const waitFor = (wait: WaitStep['wait'], more: Partial<WaitStep> = {}): WaitStep => ({
  ...{ kind: 'wait', needs: [], wait },
  ...more,
});
const by = { by: 'tester', at: new Date().toISOString() };

describe('steps that wait', () => {
  let harness: Harness;
  const begin = async (steps: Record<string, PlannedStep>, output: string, input: JsonValue = 5): Promise<OrderId> => {
    const planId = await harness.plan({ steps, outputs: [output] });
    return (await harness.accept([{ planId, input }]))[0] as OrderId;
  };
  const waiting = async (orderId: OrderId, step: string): Promise<JobId> => {
    for (const end = Date.now() + 15_000; Date.now() < end;) {
      const job = (await jobsOf(harness, orderId)).find((one) => one.step === step && one.state === 'waiting');
      if (job) return job.id as JobId;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`'${step}' does not wait`);
  };
  const ended = async (id: OrderId) => {
    await harness.ended([id]);
    await expectConsistent(harness, id);
    const { state, progress, result, error } = await harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
    return { state, progress, result, error };
  };

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    for (let i = 0; i < 2; i++) await harness.orchestrator();
    // Returns what it gets; a context with it, where that says one.
    harness.worker('scripted', ({ data: { value = null } }) => {
      const { leave } = (value ?? {}) as { leave?: BlobRef };
      return Promise.resolve(leave ? { value, context: leave } : { value });
    });
  });
  afterAll(() => harness.close());

  test('an answer is the result, counts once, and the order goes on', async () => {
    const id = await begin({ ask: waitFor({ for: 'callback' }), after: scriptedStep(['ask']) }, 'after');
    const jobId = await waiting(id, 'ask');
    const answers = await Promise.all(
      [1, 2, 3].map((value) => answerWait(harness.store, jobId, 1, { ...by, value: { value } })),
    );
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await ended(id)).toMatchObject({ state: 'completed', result: { value: answers.indexOf(true) + 1 } });
    expect(await answerWait(harness.store, jobId, 1, { ...by, value: 4 })).toBe(false);
  });

  test('a rejection blocks as an error, or lets only the steps behind its edge run', async () => {
    const review = waitFor({ for: 'approval' });
    const plain = await begin({ review, go: scriptedStep(['review']) }, 'go');
    const edges = { review: ['reject' as const] };
    const sorry = { ...scriptedStep(['review']), edges };
    const edged = await begin({ review, go: scriptedStep(['review']), sorry }, 'sorry');
    for (const id of [plain, edged]) {
      await answerWait(harness.store, await waiting(id, 'review'), 1, { ...by, decision: 'reject', comment: 'no' });
    }
    expect(await ended(plain)).toMatchObject({ state: 'failed', progress: { review: 'error', go: 'blocked' } });
    expect(await ended(edged)).toMatchObject({
      ...{ state: 'completed', result: 5 },
      progress: { review: 'completed', go: 'skipped', sorry: 'completed' },
    });
    expect(await harness.history(edged)).toContainEqual(
      expect.objectContaining({ step: 'review', state: 'completed', outcome: 'reject', by: 'tester' }),
    );
  });

  test('what a person edited goes on, and a condition sees the edge', async () => {
    const review = waitFor({ for: 'approval' });
    const go = { ...scriptedStep(['review']), with: '[steps.review.outcome, steps.review.result]' };
    const id = await begin({ review, go }, 'go');
    await answerWait(harness.store, await waiting(id, 'review'), 1, { ...by, decision: 'edit', value: 7 });
    expect(await ended(id)).toMatchObject({ state: 'completed', result: ['edit', 7] });
  });

  test('a time-out is an error, and the end of a time is none', async () => {
    const late = await begin({ ask: waitFor({ for: 'callback', timeoutMs: 100 }) }, 'ask');
    const until = '"2020-01-01T00:00:00Z"';
    const timed = await begin(
      { nap: waitFor({ for: 'time', afterMs: 100 }), past: waitFor({ for: 'time', until }, { needs: ['nap'] }) },
      'past',
    );
    expect(await ended(late)).toMatchObject({ state: 'failed', progress: { ask: 'error' } });
    expect(await ended(timed)).toMatchObject({ state: 'completed', result: 5 });
    const wrong = await begin({ past: waitFor({ for: 'time', until: '"tomorrow"' }) }, 'past');
    expect(await ended(wrong)).toMatchObject({ state: 'failed', progress: { past: 'error' } });
  });

  test('a cancelled wait takes no answer and has no end any more', async () => {
    const id = await begin({ ask: waitFor({ for: 'callback', timeoutMs: 200 }) }, 'ask');
    const jobId = await waiting(id, 'ask');
    await requestCancel(harness.store, id, 'tester');
    expect(await answerWait(harness.store, jobId, 1, { ...by, value: 1 })).toBe(false);
    expect(await endWaits(harness.parts(), [{ jobId, orderId: id }])).toMatchObject({ changedOrders: [] });
    expect(await ended(id)).toMatchObject({ state: 'cancelled', progress: { ask: 'cancelled' } });
  });

  describe('orders as steps', () => {
    const child = async (steps: Record<string, PlannedStep>, output: string): Promise<OrderStep> => {
      const planId = await harness.plan({ steps, outputs: [output] });
      return { kind: 'order', needs: [], workflow: 'child@1', planId };
    };
    const childrenOf = async (id: OrderId) => {
      const jobs = await jobsOf(harness, id);
      return harness.store.prisma.order.findMany({ where: { parentJobId: { in: jobs.map((job) => job.id) } } });
    };

    test('the result of the inner order is the result of the step', async () => {
      const inner = await child({ a: scriptedStep([]), b: scriptedStep(['a']) }, 'b');
      const outer = { ...inner, needs: ['first'], with: '{"x": steps.first.result}', params: { p: 'input' } };
      const id = await begin({ first: scriptedStep([]), inner: outer, last: scriptedStep(['inner']) }, 'last');
      expect(await ended(id)).toMatchObject({ state: 'completed', result: { x: 5 } });
      expect(await childrenOf(id)).toMatchObject([{ state: 'completed', params: { p: 5 }, createdBy: 'test' }]);
    });

    test('a context goes on over a wait, into an inner order, and out of it', async () => {
      const [one, two] = ['1', '2'].map((mark) => ({
        ...{ blobId: newId<BlobId>(), mediaType: 'application/octet-stream', size: 1, sha256: mark.repeat(64) },
      })) as [BlobRef, BlobRef];
      const inner = await child(
        { a: { ...scriptedStep([]), with: '1' }, b: { ...scriptedStep(['a']), with: 'input' } },
        'b',
      );
      const steps = {
        first: scriptedStep([]),
        ask: waitFor({ for: 'callback' }, { needs: ['first'] }),
        inner: { ...inner, needs: ['ask'], with: '{"leave": input.two}' },
        last: { ...scriptedStep(['inner']), with: '1' },
      };
      const id = await begin(steps, 'last', { leave: one, two });
      await answerWait(harness.store, await waiting(id, 'ask'), 1, { ...by, value: 7 });
      expect(await ended(id)).toMatchObject({ state: 'completed', result: 1 });
      const given = async (orderId: OrderId): Promise<Record<string, unknown>> => {
        const rows = await harness.store.prisma.job.findMany({ where: { orderId } });
        return Object.fromEntries(rows.map(({ step, contextIn }) => [step, contextIn]));
      };
      const [order] = await childrenOf(id);
      expect(await given(id)).toEqual({
        first: null,
        ...{ ask: { context: one }, inner: { context: one }, last: { context: two } },
      });
      expect(await given(order?.id as OrderId)).toEqual({ a: { context: one }, b: { context: one } });
    });

    test('an inner order that fails is an error of the step', async () => {
      const inner = await child({ a: { ...scriptedStep([]), if: 'nothing' } }, 'a');
      const id = await begin({ inner: { ...inner, onError: 'continue' }, last: scriptedStep([]) }, 'last');
      expect(await ended(id)).toMatchObject({ state: 'completed', progress: { inner: 'error' } });
    });

    test('cancelling the outer order cancels the inner one, also when whoever did so got no further', async () => {
      const inner = await child({ ask: waitFor({ for: 'callback' }) }, 'ask');
      const both = await Promise.all([begin({ inner }, 'inner'), begin({ inner }, 'inner')]);
      for (const id of both) await waiting(id, 'inner');
      await cancelWithChildren(harness.store, both[0], 'tester');
      await requestCancel(harness.store, both[1], 'tester');
      for (const id of both) {
        const [order] = await childrenOf(id);
        await harness.ended([order?.id as OrderId]);
        expect(await childrenOf(id)).toMatchObject([{ state: 'cancelled' }]);
      }
    });

    test('an inner order that was cancelled by itself is an error of the step, and a forgotten end is found', async () => {
      const inner = await child({ ask: waitFor({ for: 'callback' }) }, 'ask');
      const id = await begin({ inner }, 'inner');
      await waiting(id, 'inner');
      const [order] = await childrenOf(id);
      await requestCancel(harness.store, order?.id as OrderId, 'tester');
      expect(await ended(id)).toMatchObject({ state: 'failed', progress: { inner: 'error' } });
    });
  });
});

test('a wait whose time comes while no replica runs ends with the next one', async () => {
  const harness = await Harness.start();
  const parts = harness.parts();
  const planId = await harness.plan({ steps: { nap: waitFor({ for: 'time', afterMs: 1 }) }, outputs: ['nap'] });
  const [id] = (await harness.accept([{ planId, input: 1 }])) as [OrderId];
  await launch(harness, parts);
  expect(await jobsOf(harness, id)).toMatchObject([{ state: 'waiting' }]);
  await harness.orchestrator();
  await harness.ended([id]);
  await expectConsistent(harness, id);
  await harness.close();
}, 30_000);
