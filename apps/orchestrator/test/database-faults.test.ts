import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type JsonValue, type OrderId, type PlanId } from '@connecta/contracts';
import { DEFAULT_TIMERS } from '@connecta/domain';
import { insertOrders } from '@connecta/store';
import { expectConsistent, jobsOf } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';
import { TcpProxy, losesCommits } from '@connecta/embedded';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The engine reaches Postgres through something that fails; the workers and the queue are well. */
describe('the database fails', () => {
  let harness: Harness;
  let chain: PlanId;
  beforeAll(async () => {
    harness = await Harness.start();
    await harness.workerType('scripted');
    const steps = { a: scriptedStep([]), b: scriptedStep(['a']), c: scriptedStep(['a']), d: scriptedStep(['b', 'c']) };
    chain = await harness.plan({ steps, outputs: ['d'] });
    await harness.worker('scripted', ({ data }) => Promise.resolve({ value: data.value as JsonValue })).ready;
  });
  afterAll(() => harness.close());

  const throughProxy = async (watch?: ReturnType<typeof losesCommits>['watch']): Promise<TcpProxy> => {
    const proxy = await TcpProxy.start({ target: harness.databaseUrl, ...(watch ? { watch } : {}) });
    harness.onClose(() => proxy.close());
    return proxy;
  };
  const accept = (count: number): Promise<OrderId[]> =>
    harness.accept(Array.from({ length: count }, (_, i) => ({ planId: chain, input: i })));
  /** Accepts an order alone: its signal tells it. */
  const place = async (): Promise<OrderId> => {
    const order = { id: newId<OrderId>(), clientId: harness.clientId, planId: chain, input: 1 };
    const orders = [{ ...order, createdBy: 'test', traceparent: '-' }];
    await insertOrders(harness.store, { orders, keys: [], generation: null });
    return order.id;
  };
  /** Every order took the straight way: nothing was sent twice, nothing had to be found missing. */
  const expectStraight = async (ids: readonly OrderId[]): Promise<void> => {
    const jobs = await harness.store.prisma.job.findMany({ where: { orderId: { in: [...ids] } } });
    expect(jobs).toHaveLength(4 * ids.length);
    expect(new Set(jobs.map(({ state, attempt }) => `${state} ${attempt}`))).toEqual(new Set(['completed 1']));
    for (const id of ids.slice(0, 20)) await expectConsistent(harness, id);
    const late = await harness.store.prisma.lateReport.findMany({ where: { orderId: { in: [...ids] } } });
    expect(late).toEqual([]);
  };

  test.each([0.2, 0.05])('a share of %d of all commits takes place and is not answered', async (share) => {
    const { watch, lost } = losesCommits(share);
    const { url } = await throughProxy(watch);
    const replicas = [
      await harness.orchestrator({ databaseUrl: url }),
      await harness.orchestrator({ databaseUrl: url }),
    ];
    const ids: OrderId[] = [];
    for (let i = 0; i < 30; i++) {
      ids.push(...(await accept(4)));
      await sleep(10);
    }
    await harness.ended(ids, 12_000);
    expect(lost()).toBeGreaterThan(1);
    await expectStraight(ids);
    for (const replica of replicas) await replica.stop();
  });

  test.each(['there', 'back'] as const)('an order alone is lost on its way %s', async (way) => {
    let killed = 0;
    const { url } = await throughProxy((kill) => {
      let isUnderWay = false;
      const lose = (): void => {
        killed++;
        kill();
      };
      return {
        fromClient: (chunk) => {
          isUnderWay = chunk.includes('take_told_orders');
          if (isUnderWay && way === 'there') lose();
        },
        // The server answers when it has committed.
        fromServer: () => {
          if (isUnderWay && way === 'back') lose();
        },
      };
    });
    const replica = await harness.orchestrator({ databaseUrl: url });
    const ids = await accept(1);
    await harness.ended(ids);
    while (killed < 3) {
      ids.push(await place());
      await harness.ended(ids, 10_000);
    }
    await expectStraight(ids);
    await replica.stop();
  });

  test('it is away again and again: reports that were read are applied from memory, not read again much later', async () => {
    const proxy = await throughProxy();
    const replica = await harness.orchestrator({ databaseUrl: proxy.url });
    const ids: OrderId[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push(...(await accept(60)));
      await sleep(150);
      proxy.cut();
      await sleep(700);
      proxy.mend();
    }
    // Well before what another reader may claim, and what the reconciler would find missing.
    await harness.ended(ids, 10_000);
    await expectStraight(ids);
    await replica.stop();
  });

  test('the leader loses its connection: timers go on within seconds', async () => {
    const replicas = [await harness.orchestrator(), await harness.orchestrator()];
    const [id] = (await harness.accept([{ planId: chain, input: 1 }])) as [OrderId];
    await harness.ended([id]);
    const job = (await jobsOf(harness, id))[0];
    const leaders = await harness.store.pool.query(
      `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
       WHERE a.application_name = 'connecta-leader' AND l.locktype = 'advisory' AND a.datname = current_database()`,
    );
    expect(leaders.rowCount).toBe(1);
    // A backoff that is over: only a leader invokes it.
    await harness.store.pool.query(`UPDATE orders SET state = 'active' WHERE id = $1`, [id]);
    await harness.store.pool.query(`UPDATE jobs SET state = 'pending', not_before = now() WHERE id = $1`, [job?.id]);
    const attemptNow = async (): Promise<number | undefined> => (await jobsOf(harness, id))[0]?.attempt;
    for (let i = 0; i < 80 && (await attemptNow()) !== 2; i++) await sleep(50);
    expect(await attemptNow()).toBe(2);
    for (const replica of replicas) await replica.stop();
  });

  test('after it was away, nothing is concluded from workers that could not be heard', async () => {
    const proxy = await throughProxy();
    const timers = { ...DEFAULT_TIMERS, holdMs: 6000 };
    const replica = await harness.orchestrator({ databaseUrl: proxy.url, timers });
    const worker = harness.worker(
      'patient',
      () => new Promise((resolve) => setTimeout(() => resolve({ value: 1 }), 9000)),
    );
    await harness.workerType('patient');
    await worker.ready;
    const plan = await harness.plan({
      steps: { only: { ...scriptedStep([]), workerType: 'patient' } },
      outputs: ['only'],
    });
    const [id] = (await harness.accept([{ planId: plan, input: 1 }])) as [OrderId];
    await sleep(500);
    await harness.store.pool.query(`UPDATE jobs SET state = 'started', started_at = now() WHERE order_id = $1`, [id]);
    proxy.cut();
    await sleep(6500);
    proxy.mend();
    await harness.ended([id], 10_000);
    expect(await jobsOf(harness, id)).toMatchObject([{ state: 'completed', attempt: 1 }]);
    await replica.stop();
  });
});
