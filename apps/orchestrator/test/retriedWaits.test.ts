import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobId, JsonValue, OrderId } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import { answerWait, requestRetry, type WaitDecision } from '@connecta/store';
import { expectConsistent, jobsOf } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

describe('a failed order that is taken up again', () => {
  let harness: Harness;
  let fails = true;
  const fail = async (
    steps: Record<string, PlannedStep>,
    output: string,
    input: JsonValue,
    meanwhile = async (_id: OrderId): Promise<void> => {},
  ): Promise<OrderId> => {
    fails = true;
    const planId = await harness.plan({ steps, outputs: [output] });
    const [id] = (await harness.accept([{ planId, input }])) as [OrderId];
    await meanwhile(id);
    expect(await ended(id)).toMatchObject({ state: 'failed' });
    fails = false;
    expect(await requestRetry(harness.store, id)).toMatchObject({ outcome: 'retried' });
    return id;
  };
  /** Answers the order's one wait as soon as it can be answered. */
  const answered = async (id: OrderId, attempt: number, answer: Partial<WaitDecision>): Promise<void> => {
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const wait = await harness.store.prisma.job.findFirst({ where: { orderId: id, kind: 'wait' } });
      const decision = { ...answer, by: 'tester', at: new Date().toISOString() };
      if (wait && (await answerWait(harness.store, wait.id as JobId, attempt, decision))) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('there is no wait');
  };
  const ended = async (id: OrderId) => {
    await harness.ended([id]);
    await expectConsistent(harness, id);
    const { state, progress, result } = await harness.store.prisma.order.findUniqueOrThrow({ where: { id } });
    return { state, progress, result };
  };

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    for (let i = 0; i < 2; i++) await harness.orchestrator();
    harness.worker('scripted', ({ data }) => {
      const error = { kind: 'permanent', code: 'bad', message: 'as told' } as const;
      return Promise.resolve(fails && data.value === 'bad' ? { error } : { value: data.value ?? null });
    });
  });
  afterAll(() => harness.close());

  test('waits again where it had timed out', async () => {
    const ask: PlannedStep = { kind: 'wait', needs: [], wait: { for: 'callback', timeoutMs: 300 } };
    const id = await fail({ ask }, 'ask', 1);
    await answered(id, 2, { value: 'late' });
    expect(await ended(id)).toMatchObject({ state: 'completed', result: 'late' });
  });

  test('keeps to a rejection', async () => {
    const review: PlannedStep = { kind: 'wait', needs: [], wait: { for: 'approval', role: 'operator' } };
    const steps: Record<string, PlannedStep> = {
      ...{ review, calc: scriptedStep([]), mid: scriptedStep(['calc']), go: scriptedStep(['review', 'mid']) },
      sorry: { ...scriptedStep(['review', 'mid']), edges: { review: ['reject'] } },
    };
    const id = await fail(steps, 'sorry', 'bad', async (order) => {
      await answered(order, 1, { decision: 'reject' });
    });
    expect(await ended(id)).toMatchObject({ state: 'completed', progress: { go: 'skipped', sorry: 'completed' } });
  });

  test('runs an order of its own anew', async () => {
    const planId = await harness.plan({ steps: { a: scriptedStep([]) }, outputs: ['a'] });
    const inner: PlannedStep = { kind: 'order', workflow: 'inner', planId, needs: [] };
    expect(await ended(await fail({ inner }, 'inner', 'bad'))).toMatchObject({ state: 'completed', result: 'bad' });
  });

  test('runs only the failed items of a list once more', async () => {
    const forEach = { items: 'input', max: 100, onItemError: 'fail' } as const;
    const id = await fail({ list: { ...scriptedStep([]), forEach } }, 'list', [1, 'bad', 3, 'bad']);
    expect(await ended(id)).toMatchObject({ state: 'completed', result: [1, 'bad', 3, 'bad'] });
    const items = (await jobsOf(harness, id)).slice(1);
    expect(items.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2]);
  });

  test('fails again where an expression does', async () => {
    const id = await fail({ a: { ...scriptedStep([]), with: 'input.nothing' } }, 'a', {});
    expect(await ended(id)).toMatchObject({ state: 'failed', progress: { a: 'error' } });
  });
});
