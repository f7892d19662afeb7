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
  inBatch,
  insertJobs,
  lockOrders,
  openStore,
  queueJobs,
  recordProgress,
  startJobs,
  writeOrders,
  type Batch,
  type NewJob,
  type Store,
} from '../src/index.ts';

/**
 * A batch finds its rows by their ids, one by one, however many are open: the planner knows nothing of a fresh table,
 * and a join of a batch with everything that is open takes seconds under a backlog.
 */
describe.each([
  ['a table that was just filled', false],
  ['a table with statistics', true],
])('hot statements on %s', (_name, analysed) => {
  let services: TestServices;
  let store: Store;
  const orderId = newId<OrderId>();
  const jobs: NewJob[] = Array.from({ length: 500 }, (_, item) => ({
    id: newId<JobId>(),
    ...{ orderId, step: 'a', item, workerType: 'w', function: 'f', profileId: newId(), profileRevision: 1, input: 1 },
  }));

  beforeAll(async () => {
    services = await testServices();
    store = openStore({ databaseUrl: await services.databaseUrl('hot-plans'), applicationName: 'test' });
    const [clientId, planId, workflowVersionId] = [newId<ClientId>(), newId<PlanId>(), newId<WorkflowVersionId>()];
    await store.prisma.client.create({ data: { id: clientId, name: 'c' } });
    await store.prisma.workflowVersion.create({ data: { id: workflowVersionId, hash: 'h', definition: {} } });
    await store.prisma.plan.create({ data: { id: planId, hash: 'h', workflowVersionId, steps: {} } });
    const order = { id: orderId, clientId, planId, input: 1, createdBy: 't', traceparent: '-' };
    await store.prisma.order.create({ data: order });
    await inBatch(store, (batch) => batch.commit([insertJobs(batch, jobs)]));
    if (analysed) await store.pool.query('ANALYZE');
  });
  afterAll(async () => {
    await store.close();
    await services.close();
  });

  const planOf = (name: string, run: (batch: Batch) => Promise<unknown>): Promise<string> =>
    inBatch(store, async (batch) => {
      await run(batch);
      const rows = await batch.run<{ 'QUERY PLAN': string }>(`explain_${name}`, `EXPLAIN EXECUTE ${name}('[]')`, []);
      await batch.commit([]);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });

  test.each<[string, (batch: Batch) => Promise<unknown>]>([
    ['complete_jobs', (batch) => completeJobs(batch, [])],
    ['start_jobs', (batch) => startJobs(batch, [])],
    ['queue_jobs', (batch) => queueJobs(batch, [])],
    ['record_progress', (batch) => recordProgress(batch, [])],
  ])('%s looks each job up', async (name, run) => {
    const plan = await planOf(name, run);
    expect(plan).toContain('Index Scan using jobs_pkey');
    expect(plan).not.toContain('jobs_open');
  });

  test('orders are looked up one by one', async () => {
    expect(await planOf('write_orders', (batch) => writeOrders(batch, []))).toContain('Index Scan using orders_pkey');
    const locked = await inBatch(store, async (batch) => {
      const orders = await lockOrders(batch, [orderId]);
      await batch.commit([]);
      return orders;
    });
    expect(locked).toHaveLength(1);
  });
});
