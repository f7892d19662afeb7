import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  newId,
  type ClientId,
  type JobId,
  type OrderId,
  type PlanId,
  type WorkflowVersionId,
} from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import {
  completeJobs,
  completeKnownJobs,
  endWaitingJobs,
  findCachedJobs,
  findHeads,
  findOrderTrace,
  findOriginJobs,
  findStepFacts,
  inBatch,
  moveJobs,
  openStore,
  queueJobs,
  recordProgress,
  startJobs,
  takeToldOrders,
  writeHeads,
  writeOrders,
  type Batch,
  type NewJob,
  type Store,
} from '../src/index.ts';
import { findOfflineTypes } from '../src/notifications/failures.ts';

/**
 * A batch finds its rows by their ids, one by one. The planner knows nothing of a fresh table, and keeps the plan that it
 * made for the empty one: a join of a batch with everything that is open, or that is there, takes seconds later.
 */
describe.each(['empty', 'just filled', 'filled and analysed'] as const)(
  'hot statements on tables that are %s',
  (tables) => {
    let services: TestServices;
    let store: Store;
    const orderIds = Array.from({ length: 100 }, () => newId<OrderId>());
    const jobs = orderIds.flatMap((orderId) =>
      ['a', 'b', 'c'].map((step): NewJob => ({
        ...{ id: newId<JobId>(), orderId, step, item: 0, workerType: 'w', function: 'f' },
        ...{ profileId: newId(), profileRevision: 1, input: 1 },
      })),
    );

    beforeAll(async () => {
      services = await testServices();
      store = openStore({ databaseUrl: await services.databaseUrl('hot-plans'), applicationName: 'test' });
      const [clientId, planId, workflowVersionId] = [newId<ClientId>(), newId<PlanId>(), newId<WorkflowVersionId>()];
      await store.prisma.client.create({ data: { id: clientId, name: 'c' } });
      await store.prisma.workflowVersion.create({ data: { id: workflowVersionId, hash: 'h', definition: {} } });
      await store.prisma.plan.create({ data: { id: planId, hash: 'h', workflowVersionId, steps: {} } });
      if (tables === 'empty') return;
      const order = { clientId, planId, input: 1, createdBy: 't', traceparent: '-' };
      await store.prisma.order.createMany({ data: orderIds.map((id) => ({ id, ...order })) });
      await inBatch(store, (batch) => batch.commit([writeOrders(batch, { orders: [], history: [], jobs })]));
      if (tables === 'filled and analysed') await store.pool.query('ANALYZE');
    });
    afterAll(async () => {
      await store.close();
      await services.close();
    });

    const planOf = (name: string, run: (batch: Batch) => Promise<unknown>): Promise<string> =>
      inBatch(store, async (batch) => {
        await run(batch);
        const rows = await batch.run<{ 'QUERY PLAN': string }>(
          `explain_${name}`,
          `EXPLAIN EXECUTE ${name}(${name === 'write_orders' ? `'[]', '[]', '[]'` : `'[]'`})`,
          [],
        );
        await batch.commit([]);
        return rows.map((row) => row['QUERY PLAN']).join('\n');
      });

    test.each<[string, (batch: Batch) => Promise<unknown>]>([
      ['complete_jobs', (batch) => completeJobs(batch, [])],
      ['complete_known_jobs', (batch) => completeKnownJobs(batch, [])],
      ['start_jobs', (batch) => startJobs(batch, [])],
      ['queue_jobs', (batch) => queueJobs(batch, [])],
      ['record_progress', (batch) => recordProgress(batch, [])],
      ['move_jobs', (batch) => moveJobs(batch, [])],
      ['end_waiting_jobs', (batch) => endWaitingJobs(batch, [])],
      ['write_heads', (batch) => writeHeads(batch, [])],
    ])('%s looks each job up', async (name, run) => {
      expect(await planOf(name, run)).toMatch(/Index Scan using jobs_pkey on jobs j .*\n *Index Cond: \(id = x\./);
    });

    test('results are looked up one by one, those of lists not among their items', async () => {
      expect(await planOf('find_step_facts', (batch) => findStepFacts(batch, []))).toMatch(
        /Index Cond: \(\(order_id = x\."orderId"\) AND \(step = x\.step\) AND \(item = x\.item\)\)/,
      );
    });

    test('heads of lists are looked up one by one, not among their items', async () => {
      expect(await planOf('find_heads', (batch) => findHeads(batch, []))).toMatch(
        /Index Cond: \(\(order_id = x\."orderId"\) AND \(step = x\.name\) AND \(item = x\.head\)\)/,
      );
    });

    test('earlier jobs are looked up one by one: of an order that is run again, and of the result cache', async () => {
      expect(await planOf('find_origin_jobs', (batch) => findOriginJobs(batch, []))).toMatch(
        /Index Cond: \(\(order_id = x\./,
      );
      const cached = await planOf('find_cached_jobs', (batch) => findCachedJobs(batch, []));
      expect(cached).toMatch(/Index Cond: \(\(client_id = x\."clientId"\) AND \(fingerprint = x\./);
      expect(cached).toMatch(/Index Cond: \(id = c\.job_id\)/);
    });

    test('the newest re-runs of an order come in their order, not out of all orders', async () => {
      await findOrderTrace(store, newId<OrderId>());
      expect(await planOn(store.pool, `find_order_trace('${newId()}')`)).toMatch(
        /Index Only Scan Backward using \w+ on orders r .*\n *Index Cond: \(rerun_of = o\.id\)/,
      );
    });

    test('of worker types that have a live instance no job is read', async () => {
      const client = await store.pool.connect();
      try {
        await findOfflineTypes(client, 1);
      } finally {
        client.release();
      }
      expect(await planOn(store.pool, 'find_offline_types(1)')).toMatch(
        /\n {2}-> +CTE Scan on silent t .*\n {2}-> +Aggregate/,
      );
    });

    test('no statement starts processes that share its reading', async () => {
      for (const pool of [store.pool, store.engine])
        expect((await pool.query('SHOW max_parallel_workers_per_gather')).rows).toEqual([
          { max_parallel_workers_per_gather: '0' },
        ]);
    });

    test('orders are looked up one by one', async () => {
      const plan = await planOf('write_orders', (batch) => writeOrders(batch, { orders: [], history: [], jobs: [] }));
      expect(plan).toMatch(/Index Scan using orders_\w+ on orders o .*\n *Index Cond: \(id = x\./);
    });

    test('orders that are told are looked up by their ids', async () => {
      await takeToldOrders(store, { orders: [], history: [], jobs: [] });
      const plan = await planOn(store.engine, `take_told_orders('[]', '[]', '[]', '{}')`);
      expect(plan).toMatch(/Index Scan using orders_\w+ on orders .*\n *Index Cond: \(id = ANY/);
      expect(plan).toMatch(/Index Scan using orders_\w+ on orders o .*\n *Index Cond: \(id = /);
    });
  },
);

/** The plan of a statement that was prepared on the pool's one connection. */
async function planOn(pool: Store['pool'], call: string): Promise<string> {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE ${call}`);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
