import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leaseKey, newId, signLease, shortId, type JobId, type OrderId, type ProfileId } from '@connecta/contracts';
import { CHANNELS } from '@connecta/store';
import type { Test } from 'supertest';
import { Harness, apiRegistration, faultPaths } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
  const profiles = [{ id: newId<ProfileId>(), name: 'blue', function: 'painter.do', revision: 1 }];
  await harness.register(apiRegistration('painter', { profiles }));
  await harness.store.prisma.client.create({ data: { id: newId(), name: 'client-y' } });
});
afterAll(() => harness.close());

interface OrderBody {
  id: string;
  client: string;
  state: string;
  result?: unknown;
  parentJobId?: string;
}
const TASKS = ['painter/blue'];
const place = (body: object, as: 'cu' | 'painter' = 'cu'): Test => harness.as(as).post('/v1/orders').send(body);
const placed = async (call: Test): Promise<OrderBody> => (await call.expect(202)).body as OrderBody;

/** What the engine does at the end of an order. */
async function complete(id: string, result: unknown): Promise<void> {
  await harness.store.prisma.order.update({
    where: { id },
    data: { state: 'completed', result: result as number, finishedAt: new Date() },
  });
  await harness.store.pool.query('SELECT pg_notify($1, $2)', [CHANNELS.orders, shortId(id as OrderId)]);
}

describe('orders of a service account', () => {
  test('are accepted for its client, which may be left out when it is the only one', async () => {
    const order = await placed(place({ tasks: TASKS, input: 5 }));
    expect(order).toMatchObject({ client: 'client-x', state: 'accepted' });
    expect(await placed(place({ tasks: TASKS, input: 5, client: 'client-x' }))).toMatchObject({ client: 'client-x' });
    const row = await harness.store.prisma.order.findUniqueOrThrow({ where: { id: order.id } });
    expect(row).toMatchObject({ createdBy: 'service:cu', input: 5, clientId: harness.clientId, parentJobId: null });
    expect(row.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  test('for another client are a 403, and without a client to act for a 400', async () => {
    await place({ tasks: TASKS, client: 'client-y' }).expect(403);
    const { body } = await place({ tasks: TASKS }, 'painter').expect(400);
    expect(faultPaths(body)).toEqual(['/client']);
  });

  test('under an Idempotency-Key are one order; with another body a 422', async () => {
    const send = (input: number) => place({ tasks: TASKS, input }).set('idempotency-key', 'once');
    const [first, second] = await Promise.all([placed(send(1)), placed(send(1))]);
    expect(second.id).toBe(first.id);
    expect((await send(2).expect(422)).body).toMatchObject({ code: 'idempotency_mismatch' });
  });

  test('with an unknown task, nothing to run, or a wrong shape are clear problems', async () => {
    expect((await place({ tasks: ['painter/none'] }).expect(422)).body).toMatchObject({ code: 'unknown_task' });
    expect((await place({ input: 1 }).expect(422)).body).toMatchObject({ code: 'no_workflow' });
    expect(faultPaths((await place({ tasks: ['Nonsense'], colour: 1 }).expect(400)).body).toSorted()).toEqual([
      '/colour',
      '/tasks/0',
    ]);
  });

  test('may name a file of a legacy share', async () => {
    const order = await placed(place({ tasks: TASKS, input: { file: { share: 'inbox', path: 'a/b.txt' } } }));
    const row = await harness.store.prisma.order.findUniqueOrThrow({ where: { id: order.id } });
    expect(row.input).toEqual({ file: { share: 'inbox', path: 'a/b.txt' } });
  });
});

describe('following an order', () => {
  const read = (id: string, wait = 0, as: 'cu' | 'painter' = 'cu') =>
    harness.as(as).get(`/v1/orders/${id}?wait=${wait}`);

  test('a long poll answers when the order ends', async () => {
    const { id } = await placed(place({ tasks: TASKS }));
    const began = performance.now();
    const [answer] = await Promise.all([
      read(id, 60).expect(200),
      new Promise((resolve) => setTimeout(resolve, 150)).then(() => complete(id, 7)),
    ]);
    expect(answer.body).toMatchObject({ id, state: 'completed', result: 7 });
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  test('a long poll that is over answers with what there is, and a result may be null', async () => {
    const { id } = await placed(place({ tasks: TASKS }));
    const began = performance.now();
    const { body } = await read(id, 1).expect(200);
    expect(body).toMatchObject({ state: 'accepted' });
    expect(performance.now() - began).toBeGreaterThan(900);
    await complete(id, undefined);
    expect((await read(id, 1).expect(200)).body).toMatchObject({ state: 'completed', result: null });
  });

  test('the reason of a failed order is told', async () => {
    const { id } = await placed(place({ tasks: TASKS }));
    const error = { kind: 'permanent', code: 'no_paint', message: 'the paint is out' };
    await harness.store.prisma.order.update({ where: { id }, data: { state: 'failed', error } });
    expect((await read(id).expect(200)).body).toMatchObject({ state: 'failed', error });
  });

  test('an order that somebody else placed, or nobody, is a 404', async () => {
    const { id } = await placed(place({ tasks: TASKS }));
    await read(id, 0, 'painter').expect(404);
    await read(newId()).expect(404);
    await read('nonsense').expect(400);
    await harness.as('cu').get(`/v1/orders/${id}?wait=61`).expect(400);
  });
});

describe('child orders', () => {
  const leaseOf = (job: { id: JobId; orderId: OrderId }, more: object = {}): string =>
    signLease(leaseKey(harness.leaseKey), {
      ...{ orderId: job.orderId, jobId: job.id, attempt: 1, workerType: 'painter', expiresAtMs: Date.now() + 60_000 },
      ...more,
    });
  const child = (lease: string, body: object = { tasks: TASKS, input: 1 }) =>
    place(body, 'painter').set('connecta-lease', lease);
  const priorityOf = async (id: string): Promise<number | undefined> =>
    (await harness.store.prisma.order.findUnique({ where: { id } }))?.priority;

  test('belong to the client of the running job’s order', async () => {
    const job = await harness.job({ workerType: 'painter', state: 'started' });
    const order = await placed(child(leaseOf(job)));
    expect(order).toMatchObject({ client: 'client-x', parentJobId: job.id });
    expect(await priorityOf(order.id)).toBe(5);
    expect(await placed(child(leaseOf(job), { tasks: TASKS, client: 'client-x' }))).toMatchObject({
      client: 'client-x',
    });
    await child(leaseOf(job), { tasks: TASKS, client: 'client-y' }).expect(403);
    await harness.as('painter').get(`/v1/orders/${order.id}`).expect(200);
  });

  test('have the priority of the order above them', async () => {
    const job = await harness.job({ workerType: 'painter', state: 'started' });
    await harness.store.prisma.order.update({ where: { id: job.orderId }, data: { priority: 9 } });
    expect(await priorityOf((await placed(child(leaseOf(job)))).id)).toBe(9);
  });

  test('need a lease that is ours, of the current attempt, and of a job that runs', async () => {
    const job = await harness.job({ workerType: 'painter', state: 'started' });
    const cases: [string, string][] = [
      ['no.lease', 'lease_invalid'],
      [`${leaseOf(job)}x`, 'lease_invalid'],
      [leaseOf(job, { workerType: 'packer' }), 'lease_invalid'],
      [leaseOf(job, { expiresAtMs: 1 }), 'lease_invalid'],
      [leaseOf(job, { attempt: 2 }), 'stale_attempt'],
      [leaseOf(await harness.job({ workerType: 'painter', state: 'completed' })), 'already_ended'],
      [
        leaseOf(await harness.job({ workerType: 'painter', state: 'started', orderState: 'cancelled' })),
        'already_ended',
      ],
    ];
    for (const [lease, code] of cases) expect((await child(lease).expect(409)).body).toMatchObject({ code });
  });

  test('may name the files that the job was given, and no others', async () => {
    const job = await harness.job({ workerType: 'painter', state: 'started' });
    const file = { file: { share: 'inbox', path: 'a' } };
    expect((await child(leaseOf(job), { tasks: TASKS, input: file })).status).toBe(422);
    await harness.store.prisma.job.update({ where: { id: job.id }, data: { input: { one: file, two: 2 } } });
    await placed(child(leaseOf(job), { tasks: TASKS, input: file }));
    const other = { tasks: TASKS, input: [file, { file: { share: 'inbox', path: 'b' } }] };
    expect((await child(leaseOf(job), other)).status).toBe(422);
    const inParams = { tasks: TASKS, input: 1, params: { a: { file: { share: 'inbox', path: 'b' } } } };
    expect((await child(leaseOf(job), inParams)).status).toBe(422);
  });

  test('nest only so deep', async () => {
    let running = await harness.job({ workerType: 'painter', state: 'started' });
    for (let depth = 0; depth < 16; depth++) {
      const order = await placed(child(leaseOf(running)));
      const next = await harness.job({ workerType: 'painter', state: 'started' });
      await harness.store.prisma.job.update({ where: { id: next.id }, data: { orderId: order.id } });
      await harness.store.prisma.order.update({ where: { id: order.id }, data: { state: 'active' } });
      running = { id: next.id, orderId: order.id as OrderId };
    }
    expect((await child(leaseOf(running)).expect(409)).body).toMatchObject({ code: 'conflict' });
  });
});

describe('blobs of a service account', () => {
  test('are stored for its client and read back by it alone', async () => {
    const bytes = Buffer.from('legacy bytes');
    const sent = await harness
      .as('cu')
      .post('/v1/blobs')
      .type('text/plain')
      .set('connecta-file-name', 'a%20b.txt')
      .send(bytes.toString())
      .expect(201);
    const blob = sent.body as { blobId: string };
    expect(sent.body).toMatchObject({ size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    const read = await harness.as('cu').get(`/v1/blobs/${blob.blobId}`).expect(200);
    expect(read.text).toBe('legacy bytes');
    await harness.as('painter').get(`/v1/blobs/${blob.blobId}`).expect(404);
    expect(await placed(place({ tasks: TASKS, blobId: blob.blobId }))).toMatchObject({ state: 'accepted' });
  });
});
