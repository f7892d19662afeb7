import {
  newId,
  type BlobId,
  type OrderId,
  type PlanId,
  type ScheduleId,
  type WorkflowVersionId,
} from '@connecta/contracts';
import { deleteExpiredBlobs, deleteSchedule, findBlob } from '@connecta/store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BytesClient, MIB } from './bytes-client.ts';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';

let world: BytesWorld;
let client: BytesClient;
beforeAll(async () => {
  world = await openBytesWorld();
  client = new BytesClient(await world.replica({ maxBlobBytes: 16 * MIB }));
});
afterAll(() => world.close());

describe('retention', () => {
  const keep = (id: string, expiresAt: string | null) =>
    client.call('PATCH', `/v1/blobs/${id}`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ expiresAt }),
    });

  test('is the client’s, shown, and extendable', async () => {
    const id = await client.store('x', { key: 'other' });
    const blob = await findBlob(world.store, id);
    expect((blob?.expiresAt?.getTime() ?? 0) - (blob?.createdAt.getTime() ?? 0)).toBe(86_400_000);
    const own = await client.store('y');
    const until = new Date(Date.now() + 90 * 86_400_000).toISOString();
    expect(await (await keep(own, until)).json()).toMatchObject({ expiresAt: until });
    expect((await client.call('HEAD', `/v1/blobs/${own}`)).headers.get('connecta-expires-at')).toBe(until);
    expect(await (await keep(own, null)).json()).toMatchObject({ expiresAt: null });
    expect((await keep(own, '2001-01-01T00:00:00Z')).status).toBe(400);
    expect((await keep(own, 'soon')).status).toBe(400);
    expect((await keep(newId(), until)).status).toBe(404);
  });

  test('ends a blob, but not under an order that is under way', async () => {
    const [used, free] = [await client.store('used'), await client.store('free')];
    const orderId = await placeOrder(used);
    expect((await client.call('DELETE', `/v1/blobs/${used}`)).status).toBe(409);
    await world.store.pool.query(
      `UPDATE blobs SET expires_at = now() - interval '1 minute' WHERE id = ANY($1::uuid[])`,
      [[used, free]],
    );
    expect((await client.call('GET', `/v1/blobs/${used}`)).status).toBe(410);
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    expect(await world.blobs.exists(used)).toBe(true);
    await world.store.pool.query(`UPDATE orders SET state = 'completed' WHERE id = $1`, [orderId]);
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    for (const id of [used, free]) {
      expect(await world.blobs.exists(id)).toBe(false);
      expect(await findBlob(world.store, id)).toBeNull();
    }
  });

  test('does not end what a schedule names, nor what an order was given as context', async () => {
    const [named, context] = [await client.store('named'), await client.store('context')];
    const schedule = { name: 'nightly', times: {}, overlap: 'skip', missed: 'none', maxCatchUp: 1, createdBy: 'x' };
    const { id } = await world.store.prisma.schedule.create({
      data: { id: newId(), ...schedule, order: { tasks: ['a/b'], blobId: named } },
    });
    const orderId = await placeOrder(newId());
    await world.store.prisma.order.update({ where: { id: orderId }, data: { context: { blobId: context } } });
    await world.store.prisma.blob.update({ where: { id: named }, data: { expiresAt: new Date(0) } });
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    expect((await client.call('GET', `/v1/blobs/${named}`)).status).toBe(200);
    expect(await (await client.call('GET', `/v1/blobs/${named}/info`)).json()).toMatchObject({ expiresAt: null });
    for (const used of [named, context]) {
      expect((await client.call('DELETE', `/v1/blobs/${used}`)).status).toBe(409);
    }
    // Its time ends with the schedule, and then with the orders that may have come of it.
    await deleteSchedule(world.store, id as ScheduleId, () => undefined);
    expect((await client.call('GET', `/v1/blobs/${named}`)).status).toBe(410);
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    expect(await world.blobs.exists(named)).toBe(true);
    await world.store.prisma.order.update({ where: { id: orderId }, data: { state: 'completed' } });
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    expect(await world.blobs.exists(named)).toBe(false);
  });

  test('can be ended by hand', async () => {
    const id = await client.store('bye');
    expect((await client.call('DELETE', `/v1/blobs/${id}`)).status).toBe(204);
    expect((await client.call('GET', `/v1/blobs/${id}`)).status).toBe(404);
    expect(await world.blobs.exists(id)).toBe(false);
  });

  async function placeOrder(blobId: BlobId): Promise<OrderId> {
    const [version, plan, order] = [newId<WorkflowVersionId>(), newId<PlanId>(), newId<OrderId>()];
    const { prisma } = world.store;
    await prisma.workflowVersion.create({ data: { id: version, hash: version, definition: {} } });
    await prisma.plan.create({ data: { id: plan, hash: plan, workflowVersionId: version, steps: {} } });
    await prisma.order.create({
      data: {
        ...{ id: order, planId: plan, clientId: world.clients.own, state: 'active', createdBy: 'x', traceparent: 'x' },
        input: { images: [{ blobId, mediaType: 'image/png', size: 4, sha256: '0'.repeat(64) }] },
      },
    });
    return order;
  }
});
