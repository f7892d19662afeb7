import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JobId, JsonValue, OrderId, PlanId } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import { answerWait, cancelWithChildren, requestRetry, type WaitDecision } from '@connecta/store';
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
    await until(async () => {
      const wait = await harness.store.prisma.job.findFirst({ where: { orderId: id, kind: 'wait' } });
      const decision = { ...answer, by: 'tester', at: new Date().toISOString() };
      return (wait && (await answerWait(harness.store, wait.id as JobId, attempt, decision))) || undefined;
    });
  };
  const childrenOf = async (ids: readonly (string | undefined)[]) => {
    const parents = await harness.store.prisma.job.findMany({ where: { orderId: { in: ids.map(String) } } });
    return harness.store.prisma.order.findMany({
      where: { parentJobId: { in: parents.map((job) => job.id) } },
      orderBy: [{ state: 'asc' }, { epoch: 'asc' }],
    });
  };
  const until = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
    for (const end = Date.now() + 10_000; Date.now() < end;) {
      const found = await ask();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('it did not happen');
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

  test('takes up the orders that its steps are, and runs only what failed in them', async () => {
    const fine = { ...scriptedStep([]), with: '"fine"' };
    const last = { ...scriptedStep(['fine']), with: 'input' };
    const inner = await harness.plan({ steps: { fine, last }, outputs: ['last'] });
    const child = (planId: PlanId): PlannedStep => ({ kind: 'order', workflow: 'inner', planId, needs: [] });
    const outer = await harness.plan({ steps: { inner: child(inner) }, outputs: ['inner'] });
    const id = await fail({ outer: child(outer) }, 'outer', 'bad');
    expect(await ended(id)).toMatchObject({ state: 'completed', result: 'bad' });
    const [first] = await childrenOf([id]);
    const [second] = await childrenOf([first?.id]);
    expect([first, second]).toMatchObject([{ epoch: 2 }, { epoch: 2 }]);
    expect([await childrenOf([id]), await childrenOf([first?.id])]).toMatchObject([{ length: 1 }, { length: 1 }]);
    await ended(second?.id as OrderId);
    expect(await jobsOf(harness, second?.id as OrderId)).toMatchObject([
      { step: 'fine', attempt: 1 },
      { step: 'last', attempt: 2 },
    ]);
  });

  test('takes up the orders of failed items, and begins cancelled ones anew', async () => {
    const planId = await harness.plan({ steps: { a: scriptedStep([]) }, outputs: ['a'] });
    const forEach = { items: 'input', max: 100, onItemError: 'fail' } as const;
    const list: PlannedStep = { kind: 'order', workflow: 'inner', planId, needs: [], forEach };
    const wait: PlannedStep = { kind: 'wait', needs: [], wait: { for: 'callback' } };
    const waiting = await harness.plan({ steps: { wait }, outputs: ['wait'] });
    const asked: PlannedStep = { kind: 'order', workflow: 'asked', planId: waiting, needs: [] };
    const both: PlannedStep = { ...scriptedStep(['list', 'asked']), with: 'steps.list.result' };
    const id = await fail({ list, asked, both }, 'both', [1, 'bad', 3], async (order) => {
      const cancelled = await until(async () => (await childrenOf([order])).find((child) => child.planId === waiting));
      await cancelWithChildren(harness.store, cancelled.id as OrderId, 'tester');
    });
    const again = await until(async () =>
      (await childrenOf([id])).find((child) => child.planId === waiting && child.state === 'active'),
    );
    await answered(again.id as OrderId, 1, { value: 'told' });
    expect(await ended(id)).toMatchObject({ state: 'completed', result: [1, 'bad', 3] });
    const children = await childrenOf([id]);
    expect(children.map(({ state, epoch }) => `${state} ${epoch}`)).toEqual([
      'cancelled 1',
      ...['completed 1', 'completed 1', 'completed 1', 'completed 2'],
    ]);
  });

  test('runs only the failed items of a list once more', async () => {
    const forEach = { items: 'input', max: 100, onItemError: 'fail' } as const;
    const id = await fail({ list: { ...scriptedStep([]), forEach } }, 'list', [1, 'bad', 3, 'bad']);
    expect(await ended(id)).toMatchObject({ state: 'completed', result: [1, 'bad', 3, 'bad'] });
    const items = (await jobsOf(harness, id)).slice(1);
    expect(items.map(({ attempt }) => attempt)).toEqual([1, 2, 1, 2]);
  });

  test('begins the order that an item is anew with what its step gives it', async () => {
    const wait: PlannedStep = { kind: 'wait', needs: [], wait: { for: 'callback' } };
    const inner = await harness.plan({ steps: { wait }, outputs: ['wait'] });
    const list: PlannedStep = {
      ...{ kind: 'order', workflow: 'inner', planId: inner, needs: [] },
      ...{ params: { number: 'each.item' }, forEach: { items: 'input', max: 100, onItemError: 'fail' } },
    };
    const id = await fail({ list }, 'list', [7], async (order) => {
      const child = await until(async () => (await childrenOf([order]))[0]);
      await cancelWithChildren(harness.store, child.id as OrderId, 'tester');
    });
    const again = await until(async () => (await childrenOf([id])).find(({ state }) => state === 'active'));
    await answered(again.id as OrderId, 1, { value: 'told' });
    expect(await ended(id)).toMatchObject({ state: 'completed', result: ['told'] });
    expect((await childrenOf([id])).map(({ params }) => params)).toEqual([{ number: 7 }, { number: 7 }]);
  });

  test('fails again where an expression of an item does, whatever the item is', async () => {
    const inner = await harness.plan({ steps: { a: scriptedStep([]) }, outputs: ['a'] });
    const forEach = { items: 'input', max: 100, onItemError: 'fail' } as const;
    const order: PlannedStep = {
      kind: 'order',
      workflow: 'inner',
      planId: inner,
      needs: [],
      with: 'each.item.x',
      forEach,
    };
    for (const step of [order, { ...scriptedStep([]), with: 'each.item.x', forEach }]) {
      const id = await fail({ step }, 'step', [{ x: 1 }, {}]);
      expect(await ended(id)).toMatchObject({ state: 'failed' });
      const [, , item] = await jobsOf(harness, id);
      expect(item).toMatchObject({ attempt: 2, error: { code: 'expression_failed' } });
    }
  });

  test('fails again where an expression does', async () => {
    const id = await fail({ a: { ...scriptedStep([]), with: 'input.nothing' } }, 'a', {});
    expect(await ended(id)).toMatchObject({ state: 'failed', progress: { a: 'error' } });
  });
});
