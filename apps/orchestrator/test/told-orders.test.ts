import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type JsonValue, type OrderId, type PlanId } from '@connecta/contracts';
import type { Plan, PlannedStep } from '@connecta/domain';
import { insertOrders, listen, requestCancel, type NewOrder } from '@connecta/store';
import { setTimeout as sleep } from 'node:timers/promises';
import { BuiltInEngine } from '../src/engine/built-in.ts';
import type { Outcome } from '../src/engine/outcome.ts';
import { PlanStage } from '../src/plan/plan-stage.ts';
import { expectConsistent, jobsOf, launch } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

describe('an order that its signal tells', () => {
  let harness: Harness;
  let listener: ReturnType<typeof listen>;
  let single: PlanId;
  const signals: string[] = [];

  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    single = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
    listener = listen({
      ...{ databaseUrl: harness.databaseUrl, channels: ['intake'], onGap: () => undefined, onError: () => undefined },
      onSignal: (_, signal) => void signals.push(signal),
    });
    await listener.ready;
  });
  afterAll(async () => {
    await listener.close();
    await harness.close();
  });

  const place = async (...orders: (Partial<NewOrder> & { planId: PlanId })[]): Promise<OrderId[]> => {
    const { clientId } = harness;
    const common = { clientId, input: 1 as JsonValue, createdBy: 'tester', traceparent: '-' };
    const rows = orders.map((order) => ({ id: newId<OrderId>(), ...common, ...order }));
    await insertOrders(harness.store, { orders: rows, keys: [], generation: null });
    return rows.map(({ id }) => id);
  };
  /** Places an order alone; what is told of it. */
  const tell = async (order: Partial<NewOrder> & { planId: PlanId }): Promise<{ id: OrderId; signal: string }> => {
    const before = signals.length;
    const [id] = (await place(order)) as [OrderId];
    while (signals.length === before) await sleep(5);
    return { id, signal: signals.at(-1) as string };
  };
  /** The stage of a replica of its own, and what it sends. It has planned an order of this plan, and nothing waits. */
  const caughtUp = async (planId: PlanId, limit = 500) => {
    const parts = harness.parts();
    const sent: Outcome[] = [];
    const follow = (outcome: Outcome): Promise<void> => Promise.resolve(void sent.push(outcome));
    const engine = new BuiltInEngine(parts.store, harness.queue.jobs);
    const stage = new PlanStage({ parts, engine, limit, follow });
    await place({ planId });
    while (await stage.tick());
    sent.length = 0;
    return { stage, sent };
  };
  const stateOf = async (id: OrderId): Promise<string> =>
    (await harness.store.prisma.order.findUniqueOrThrow({ where: { id } })).state;
  const sentFor = (sent: readonly Outcome[]): string[] =>
    sent.flatMap(({ commands }) => commands.map(({ job, attempt }) => `${job.orderId} ${job.step} ${attempt}`));

  test('is planned without a look at the table, which is looked at when nothing is told', async () => {
    const { stage, sent } = await caughtUp(single);
    const { id: unheard } = await tell({ planId: single });
    const { id, signal } = await tell({ planId: single });
    stage.tell(signal);
    expect(await stage.tick()).toBe(false);
    expect([await stateOf(id), await stateOf(unheard)]).toEqual(['active', 'accepted']);
    expect(sent).toMatchObject([{ changedOrders: [id], openOrders: new Set([id]), told: true }]);
    await stage.tick();
    expect(await stateOf(unheard)).toBe('active');
    expect(sentFor(sent)).toEqual([`${id} only 1`, `${unheard} only 1`]);
    for (const each of [id, unheard]) await expectConsistent(harness, each);
  });

  test('is planned once by all replicas that hear of it', async () => {
    const replicas = await Promise.all([caughtUp(single), caughtUp(single), caughtUp(single)]);
    for (let round = 0; round < 20; round++) {
      const { id, signal } = await tell({ planId: single });
      for (const { stage } of replicas) stage.tell(signal);
      await Promise.all(replicas.map(({ stage }) => stage.tick()));
      expect(replicas.flatMap(({ sent }) => sentFor(sent.splice(0)))).toEqual([`${id} only 1`]);
      expect(await jobsOf(harness, id)).toHaveLength(1);
      await expectConsistent(harness, id);
    }
  });

  test('is planned once when other replicas find it in the table', async () => {
    const told = await caughtUp(single);
    const other = harness.parts();
    for (let round = 0; round < 20; round++) {
      const { id, signal } = await tell({ planId: single });
      told.stage.tell(signal);
      const [, found] = await Promise.all([told.stage.tick(), launch(harness, other)]);
      expect(sentFor([...told.sent.splice(0), found])).toEqual([`${id} only 1`]);
      await expectConsistent(harness, id);
    }
  });

  test('has no job when it was cancelled meanwhile', async () => {
    const { stage, sent } = await caughtUp(single);
    const { id, signal } = await tell({ planId: single });
    await requestCancel(harness.store, id, 'tester');
    stage.tell(signal);
    expect(await stage.tick()).toBe(false);
    expect(sent).toEqual([]);
    expect(await jobsOf(harness, id)).toEqual([]);
    expect(await stateOf(id)).toBe('cancelled');
    await expectConsistent(harness, id);
  });

  test('becomes what it becomes when it is read, whatever its first steps are', async () => {
    const step = (more: object): PlannedStep => ({ ...scriptedStep([]), ...more });
    const next = { ...scriptedStep(['first']) };
    const child: PlannedStep = { kind: 'order', needs: [], workflow: 'child@1', planId: single };
    const wait: PlannedStep = { kind: 'wait', needs: [], wait: { for: 'callback', timeoutMs: 60_000 } };
    const firsts: PlannedStep[] = [
      ...[step({ params: { a: '1' } }), step({ if: 'input.n > 1' }), step({ if: 'input.n < 1' })],
      ...[step({ with: '{"m": input.n, "s": params.strategy}' }), step({ if: 'input.none' }), child, wait],
      ...[step({ forEach: { items: 'input.list', max: 9, onItemError: 'fail' } }), step({ cache: { ttlMs: 60_000 } })],
      step({ retry: { maxAttempts: 2 }, timers: { startMs: 1000 } }),
    ];
    const plans: Plan[] = firsts.map((first) => ({ steps: { first, next }, outputs: ['next'] }));
    plans.push({ steps: { first: step({}), second: step({}), next }, outputs: ['next'] });
    const more = { input: { n: 2, list: [1, 2] }, params: { strategy: 'fast' }, priority: 8 };
    const reading = harness.parts();
    for (const planId of await harness.planAll(plans)) {
      const { stage, sent } = await caughtUp(planId);
      await launch(harness, reading);
      const read = await tell({ planId, ...more });
      const whole = await launch(harness, reading);
      // Its child is an order of its own.
      await launch(harness, reading);
      const { id, signal } = await tell({ planId, ...more });
      stage.tell(signal);
      await stage.tick();
      const left = await Promise.all(
        [id, read.id].map(async (orderId) => {
          const { prisma } = harness.store;
          const { state, version, progress, result } = await prisma.order.findUniqueOrThrow({ where: { id: orderId } });
          const jobs = await prisma.job.findMany({ where: { orderId }, orderBy: { step: 'asc' } });
          const rows = jobs.map(({ step: name, kind, state: now, attempt, input, timers, fingerprint, error }) => ({
            ...{ name, kind, now, attempt, input, timers, fingerprint, error },
          }));
          return { state, version, progress, result, rows };
        }),
      );
      expect(left[0]).toEqual(left[1]);
      const named = (outcomes: readonly Outcome[]): unknown =>
        outcomes.flatMap(({ commands, acceptedChildren, work }) => [
          ...commands.map(({ job, priority }) => [job.step, job.input, priority]),
          ...[acceptedChildren, work?.length],
        ]);
      expect(named(sent)).toEqual(named([whole]));
      await expectConsistent(harness, id);
    }
  });

  test('of a plan that is not at hand, or that cannot be run, waits for the look at the table', async () => {
    const { stage, sent } = await caughtUp(single);
    const [other, none] = await harness.planAll([
      { steps: { a: scriptedStep([]) }, outputs: ['a'] },
      { steps: {}, outputs: [] },
    ]);
    for (const planId of [other, none, none, newId<PlanId>()] as PlanId[]) {
      const { id, signal } = await tell({ planId });
      stage.tell(signal);
      await stage.tick();
      expect(await stateOf(id)).toBe(planId === other ? 'active' : 'failed');
      await expectConsistent(harness, id);
    }
    expect(sentFor(sent)).toHaveLength(1);
  });

  test('does not overtake an order of higher priority that waits', async () => {
    const { stage, sent } = await caughtUp(single, 1);
    const waiting = await place(...[9, 9, 9].map((priority) => ({ planId: single, priority })));
    stage.tell('');
    expect(await stage.tick()).toBe(true);
    const { id, signal } = await tell({ planId: single, priority: 8 });
    stage.tell(signal);
    while (await stage.tick());
    expect(sent.flatMap(({ changedOrders }) => changedOrders)).toEqual([...waiting, id]);
  });

  test('goes by its priority among few that are told at once; of many the table is asked', async () => {
    const { stage, sent } = await caughtUp(single);
    for (const count of [3, 20]) {
      const told: { id: OrderId; signal: string; priority: number }[] = [];
      for (let i = 0; i < count; i++)
        told.push({ ...(await tell({ planId: single, priority: i % 3 })), priority: i % 3 });
      for (const { signal } of told) stage.tell(signal);
      await stage.tick();
      const byPriority = [2, 1, 0].flatMap((priority) => told.filter((order) => order.priority === priority));
      expect(sentFor(sent.splice(0))).toEqual(byPriority.map(({ id }) => `${id} only 1`));
    }
  });

  test('is planned from the table after its planning failed', async () => {
    const { stage, sent } = await caughtUp(single);
    const { id, signal } = await tell({ planId: single });
    await harness.store.pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'not now'; END $$`);
    await harness.store.pool.query('CREATE TRIGGER no BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION refuse()');
    stage.tell(signal);
    await expect(stage.tick()).rejects.toThrow('not now');
    await harness.store.pool.query('DROP TRIGGER no ON jobs');
    const later = await tell({ planId: single });
    stage.tell(later.signal);
    await stage.tick();
    expect(sentFor(sent)).toEqual([id, later.id].map((each) => `${each} only 1`));
  });

  test('comes to its end with two replicas, each job sent once, and a replica stops when what it plans is sent', async () => {
    const deliveries: string[] = [];
    const worker = harness.worker('scripted', ({ id }) => {
      deliveries.push(id);
      return Promise.resolve({ value: 1 });
    });
    // What the tests before left without sending it is sent here as lost work, sooner or later.
    const deliveriesOf = async (orders: readonly OrderId[]): Promise<string[]> => {
      const jobs = (await Promise.all(orders.map((id) => jobsOf(harness, id)))).flat();
      return deliveries.filter((delivery) => jobs.some(({ id }) => delivery.startsWith(id)));
    };
    await worker.ready;
    const replicas = [await harness.orchestrator(), await harness.orchestrator()];
    await harness.ended(await place({ planId: single }));
    const ids: OrderId[] = [];
    for (let i = 0; i < 20; i++) {
      ids.push(...(await place({ planId: single })));
      await harness.ended(ids);
    }
    expect(await deliveriesOf(ids)).toHaveLength(20);
    for (const id of ids) await expectConsistent(harness, id);

    await replicas[0]?.stop();
    const lock = await harness.store.pool.connect();
    await lock.query('BEGIN');
    await lock.query('LOCK TABLE jobs IN SHARE MODE');
    const [last] = (await place({ planId: single })) as [OrderId];
    const isWaiting = async (): Promise<boolean> =>
      (await harness.store.pool.query(`SELECT FROM pg_locks WHERE NOT granted AND relation = 'jobs'::regclass`))
        .rowCount !== 0;
    while (!(await isWaiting())) await sleep(10);
    const stopped = replicas[1]?.stop();
    expect(await Promise.race([stopped, sleep(200).then(() => 'waits')])).toBe('waits');
    await lock.query('COMMIT');
    lock.release();
    await stopped;
    expect(await stateOf(last)).toBe('active');
    while ((await deliveriesOf([last])).length === 0) await sleep(10);
    expect(await jobsOf(harness, last)).toHaveLength(1);
  });
});
