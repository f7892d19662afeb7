import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type OrderId, type OrderState } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import { listOrders, openStore, type Store } from '../src/index.ts';

const FINISHED = 20_000;

/** Lists of orders are read by whoever waits for some, again and again: finished orders must not be walked through. */
describe('lists of orders, beside twenty thousand that have completed', () => {
  let services: TestServices;
  let store: Store;
  const failed = newId<OrderId>();
  const cancelled = newId<OrderId>();

  beforeAll(async () => {
    services = await testServices();
    store = openStore({ databaseUrl: await services.databaseUrl('lists'), applicationName: 'test' });
    const [client, workflow, plan] = [newId(), newId(), newId()];
    await store.prisma.client.create({ data: { id: client, name: 'client-l' } });
    await store.prisma.workflowVersion.create({ data: { id: workflow, hash: 'h', definition: {} } });
    await store.prisma.plan.create({ data: { id: plan, hash: 'h', workflowVersionId: workflow, steps: {} } });
    const order = { clientId: client, planId: plan, input: 1, createdBy: 't', traceparent: 't' };
    for (const [id, state] of [[failed, 'failed'] as const, [cancelled, 'cancelled'] as const]) {
      await store.prisma.order.create({ data: { id, ...order, state } });
    }
    // The statistics are those of a busy hour, when many orders were in every other state: they always lag behind.
    await store.pool.query(
      `INSERT INTO orders (id, client_id, plan_id, state, input, created_by, traceparent)
       SELECT gen_random_uuid(), $1, $2, ('{accepted,active,failed,cancelled,completed}'::text[])[1 + n % 5], '1', 't', 't'
       FROM generate_series(1, $3::int) n`,
      [client, plan, FINISHED],
    );
    await store.pool.query('ANALYZE');
    await store.pool.query(`UPDATE orders SET state = 'completed' WHERE NOT id = ANY($1::uuid[])`, [
      [failed, cancelled],
    ]);
    await store.pool.query('VACUUM orders');
  }, 60_000);
  afterAll(async () => {
    await store.close();
    await services.close();
  });

  /** Ids of the list, and how many rows of orders were looked at for it. */
  const listed = (states: OrderState[], limit = 10): Promise<{ ids: OrderId[]; looked: number }> =>
    store.prisma.$transaction(async (transaction) => {
      const rows = await listOrders({ ...store, prisma: transaction as Store['prisma'] }, { states, limit });
      const [stats] = await transaction.$queryRaw<{ looked: number }[]>`
        SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS looked FROM pg_stat_xact_user_tables
        WHERE relname = 'orders'`;
      return { ids: rows.map(({ id }) => id), looked: stats?.looked ?? Number.NaN };
    });

  test.each<[OrderState[], OrderId[]]>([
    [['accepted', 'active'], []],
    [['failed'], [failed]],
    [
      ['cancelled', 'failed', 'active', 'failed'],
      [cancelled, failed],
    ],
  ])('%s are found by themselves, the newest first', async (states, ids) => {
    const found = await listed(states);
    expect(found.ids).toEqual(ids);
    expect(found.looked).toBeLessThan(20);
  });

  test('completed ones are as many as fit the page, whatever else is asked for', async () => {
    const { ids, looked } = await listed(['completed', 'active'], 7);
    expect(ids).toHaveLength(7);
    expect(looked).toBeLessThan(20);
  });
});
