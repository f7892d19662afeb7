import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type OrderId, type PlanId } from '@connecta/contracts';
import { inBatch, listen, requestCancel, takeAcceptedOrders } from '@connecta/store';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobsOf, launch } from './direct.ts';
import { Harness, scriptedStep } from './harness.ts';

describe('orders of which only so many run at once', () => {
  let harness: Harness;
  let planId: PlanId;
  beforeAll(async () => {
    harness = await Harness.start();
    planId = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
    await harness.workerType('scripted');
  });
  afterAll(() => harness.close());

  /** Accepts orders together with their keys. */
  async function accept(count: number, keyOf: (i: number) => string): Promise<OrderId[]> {
    const rows = Array.from({ length: count }, (_, i) => ({ id: newId<OrderId>(), key: keyOf(i) }));
    await harness.store.pool.query(
      `INSERT INTO orders (id, client_id, plan_id, input, created_by, traceparent, concurrency_key, concurrency_max)
       SELECT x.id, $2, $3, '1', 'test', '00-${'a'.repeat(32)}-${'b'.repeat(16)}-01', x.key, 2
       FROM json_to_recordset($1::json) x(id uuid, key text)`,
      [JSON.stringify(rows), harness.clientId, planId],
    );
    await harness.store.pool.query(`SELECT pg_notify('connecta_intake', '')`);
    return rows.map(({ id }) => id);
  }

  test('never more than their maximum are active, over two replicas, and every one gets its turn', async () => {
    let most = 0;
    const worker = harness.worker('scripted', async () => {
      const { rows } = await harness.store.pool.query<{ most: number }>(
        `SELECT coalesce(max(n), 0)::int AS most FROM (SELECT count(*) AS n FROM orders
         WHERE state = 'active' AND concurrency_key IS NOT NULL GROUP BY concurrency_key) x`,
      );
      most = Math.max(most, rows[0]?.most ?? 0);
      await sleep(20);
      return { value: 1 };
    });
    await worker.ready;
    await harness.orchestrator();
    await harness.orchestrator();
    const ids = await accept(30, (i) => (i % 3 === 0 ? 'a' : 'b'));
    await harness.ended(ids);
    expect(most).toBe(2);
  });
});

describe('orders that go first', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await Harness.start();
  });
  afterAll(() => harness.close());

  test('are taken by their priority, then by their age, with and without a key', async () => {
    const planId = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
    const ids = await harness.accept(Array.from({ length: 8 }, (_, i) => ({ planId, input: i })));
    const rows = ids.map((id, i) => ({ id, priority: [5, 10, 0, 10, 5, 9, 1, 9][i], key: i < 4 ? null : 'k' }));
    await harness.store.pool.query(
      `UPDATE orders o SET priority = x.priority, concurrency_key = x.key, concurrency_max = 2
       FROM json_to_recordset($1::json) x(id uuid, priority int, key text) WHERE o.id = x.id`,
      [JSON.stringify(rows)],
    );
    const taken = await inBatch(harness.store, async (batch) => {
      const orders = await takeAcceptedOrders(batch, 10);
      await batch.commit([]);
      return orders.map(({ id }) => ids.indexOf(id));
    });
    expect(taken).toEqual([1, 3, 0, 2, 5, 7]);
  });

  test('take the orders that are their steps along', async () => {
    const planId = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
    const inner = { kind: 'order', workflow: 'inner', planId, needs: [] } as const;
    const outer = await harness.plan({ steps: { inner: { ...inner, needs: [] } }, outputs: ['inner'] });
    const [id] = await harness.accept([{ planId: outer, input: 1 }]);
    await harness.store.prisma.order.update({ where: { id: id as OrderId }, data: { priority: 9 } });
    await launch(harness, harness.parts());
    const [job] = await jobsOf(harness, id as OrderId);
    const child = await harness.store.prisma.order.findFirst({ where: { parentJobId: job?.id as string } });
    expect(child?.priority).toBe(9);
  });

  test('are not kept from their turn by any number of keys without room', async () => {
    const planId = await harness.plan({ steps: { only: scriptedStep([]) }, outputs: ['only'] });
    const rows = Array.from({ length: 1100 }, (_, i) => ['active', 'accepted'].map((state) => [state, `a${i}`])).flat();
    const all = [...rows, ['accepted', 'z']].map(([state, key]) => ({ id: newId<OrderId>(), state, key }));
    await harness.store.pool.query(
      `INSERT INTO orders (id, client_id, plan_id, input, created_by, traceparent, state, concurrency_key, concurrency_max)
       SELECT x.id, $2, $3, '1', 'test', 't', x.state, x.key, 1 FROM json_to_recordset($1::json) x(id uuid, state text, key text)`,
      [JSON.stringify(all), harness.clientId, planId],
    );
    const take = (): Promise<OrderId[]> =>
      inBatch(harness.store, async (batch) => {
        const orders = await takeAcceptedOrders(batch, 10);
        await batch.commit([]);
        return orders.map(({ id }) => id);
      });
    expect(await take()).toContain(all.at(-1)?.id);
    // And whoever is cancelled makes room at once.
    const heard = new Promise<string>((resolve) => {
      const { databaseUrl } = harness;
      const listener = listen({
        databaseUrl,
        channels: ['intake'],
        onSignal: resolve,
        onGap: () => {},
        onError: () => {},
      });
      harness.onClose(() => listener.close());
      void listener.ready.then(() => requestCancel(harness.store, all[0]?.id as OrderId, 'tester'));
    });
    expect(await heard).toBe('intake');
    expect(await take()).toContain(all[1]?.id);
  });
});
