import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OrderId } from '@connecta/contracts';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('fe_orders');
}, 60_000);
afterAll(() => world.close());

const tasks = ['math/one', 'math/two'];
async function place(role: keyof FeWorld['keys'] = 'admin', more: object = {}): Promise<OrderId> {
  const answer = await world
    .as(role)('post', '/v1/orders')
    .send({ tasks, input: 5, ...more });
  expect(answer.status).toBe(202);
  return answer.body.id as OrderId;
}

describe('one order', () => {
  test('is accepted with its place and reads back as a trace', async () => {
    const answer = await world.send('post', '/v1/orders').send({ input: 5, tasks, params: { a: 1 } });
    expect(answer.status).toBe(202);
    expect(answer.body).toEqual({ id: expect.any(String), state: 'accepted' });
    expect(answer.headers['location']).toBe(`/v1/orders/${answer.body.id}`);
    const { body } = await world.send('get', answer.headers['location'] as string);
    expect(body).toMatchObject({
      ...{ id: answer.body.id, client: 'default', state: 'accepted', input: 5, tasks, params: { a: 1 } },
      jobs: { one: { uses: 'math/one', state: 'pending' }, two: { uses: 'math/two', state: 'pending' } },
      createdBy: 'key:admin',
    });
    expect(Object.keys(body.jobs)).toEqual(['one', 'two']);
    expect(body).not.toHaveProperty('result');
  });

  test('with own steps, a workflow or a contract shows what it runs', async () => {
    const steps = { z: { uses: 'math/one' }, a: { uses: 'math/two', needs: ['z'] } };
    const own = await world.send('get', `/v1/orders/${await place('admin', { tasks: undefined, steps, output: 'a' })}`);
    expect(Object.keys(own.body.steps)).toEqual(['z', 'a']);
    expect((await world.send('post', '/v1/workflows').send({ name: 'flow', steps })).status).toBe(201);
    const named = await world.send('get', `/v1/orders/${await place('admin', { tasks: undefined, workflow: 'flow' })}`);
    expect(named.body.workflow).toEqual({ name: 'flow', version: 1 });
    const client = { name: 'with-contract', workflow: 'flow' };
    expect((await world.send('post', '/v1/clients').send(client)).status).toBe(201);
    const contract = await world.send('post', '/v1/orders').send({ client: 'with-contract', input: 1 });
    expect((await world.send('get', `/v1/orders/${contract.body.id}`)).body).toMatchObject({
      client: 'with-contract',
      workflow: { name: 'flow', version: 1 },
    });
  });

  test('with a file is a form', async () => {
    const answer = await world
      .as('client')('post', '/v1/orders')
      .field('tasks', JSON.stringify(tasks))
      .field('params', '{"x": 1}')
      .attach('file', Buffer.from('hello'), { filename: 'a.txt', contentType: 'text/plain' });
    expect(answer.status).toBe(202);
    const { body } = await world.as('client')('get', `/v1/orders/${answer.body.id}`);
    expect(body.input).toMatchObject({ mediaType: 'text/plain', size: 5 });
    const bytes = await world.as('client')('get', `/v1/blobs/${body.input.blobId}`);
    expect(bytes.text).toBe('hello');
  });

  test('with a wrong form leaves no file behind', async () => {
    const before = await world.store.prisma.blob.count();
    const answer = await world
      .as('client')('post', '/v1/orders')
      .field('tasks', '["math/none"]')
      .attach('file', Buffer.from('hello'), 'a.txt');
    expect(answer.body.code).toBe('unknown_task');
    expect(await world.store.prisma.blob.count()).toBe(before);
    expect((await world.as('client')('post', '/v1/orders').field('tasks', '[]')).status).toBe(400);
    expect(
      (await world.as('client')('post', '/v1/orders').field('tasks', '[').attach('file', Buffer.from('x'), 'a')).body
        .code,
    ).toBe('malformed_json');
  });

  test('with a large input keeps it as a blob', async () => {
    const input = Array.from({ length: 3000 }, (_, n) => n);
    const id = await place('client', { input });
    const { body } = await world.as('client')('get', `/v1/orders/${id}`);
    expect(body.input.mediaType).toBe('application/json');
    expect((await world.as('client')('get', `/v1/blobs/${body.input.blobId}`)).body).toEqual(input);
  });

  test('under an Idempotency-Key is placed once, for each client of its own', async () => {
    const send = (role: keyof FeWorld['keys'], input: number) =>
      world.as(role)('post', '/v1/orders').set('idempotency-key', 'k-1').send({ tasks, input });
    const [first, second] = await Promise.all([send('client', 1), send('client', 1)]);
    expect(first.status).toBe(202);
    expect(second.body).toEqual(first.body);
    expect((await send('client', 2)).body.code).toBe('idempotency_mismatch');
    expect((await send('otherClient', 1)).body.id).not.toBe(first.body.id);
    const form = () =>
      world
        .as('client')('post', '/v1/orders')
        .set('idempotency-key', 'k-2')
        .field('tasks', JSON.stringify(tasks))
        .attach('file', Buffer.from('hello'), 'a.txt');
    const firstForm = await form();
    expect((await form()).body).toEqual(firstForm.body);
  });

  test('goes on with the trace of its sender', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await world
      .send('post', '/v1/orders')
      .set('traceparent', `00-${traceId}-b7ad6b7169203331-01`)
      .send({ tasks });
    expect((await world.send('get', `/v1/orders/${answer.body.id}`)).body.traceparent).toContain(traceId);
  });
});

describe('a batch', () => {
  test('has an outcome for each order', async () => {
    const orders = [
      { tasks, input: 1 },
      { tasks: ['math/none'] },
      { what: 1 },
      { tasks, client: 'nobody' },
      { tasks, blobId: '0192f0c1-7a11-7c22-8d33-9e44af55b066' },
      { tasks, input: 2 },
    ];
    const { status, body } = await world.send('post', '/v1/orders/batch').send({ orders });
    expect(status).toBe(200);
    expect(body.items.map((item: { status: number }) => item.status)).toEqual([202, 422, 400, 422, 422, 202]);
    expect(body.items[1].problem).toMatchObject({ code: 'unknown_task', errors: [{ path: '/tasks/0' }] });
    const asClient = await world
      .as('client')('post', '/v1/orders/batch')
      .send({
        orders: [{ tasks, client: 'other' }, { tasks, client: 'own' }, { tasks }],
      });
    expect(asClient.body.items.map((item: { status: number }) => item.status)).toEqual([404, 202, 202]);
  });

  test('of a thousand is accepted and listed page by page', async () => {
    const orders = Array.from({ length: 1000 }, (_, input) => ({ client: 'other', tasks, input }));
    const { body } = await world.send('post', '/v1/orders/batch').set('idempotency-key', 'b').send({ orders });
    const again = await world.send('post', '/v1/orders/batch').set('idempotency-key', 'b').send({ orders });
    expect(again.body).toEqual(body);
    const ids: string[] = [];
    let path: string | null = '/v1/orders?client=other&limit=400';
    while (path) {
      const page = await world.send('get', path);
      ids.push(...page.body.items.map((item: { id: string }) => item.id));
      path = page.body.nextCursor && `/v1/orders?client=other&limit=400&cursor=${page.body.nextCursor}`;
    }
    const accepted = body.items.map((item: { id: string }) => item.id);
    expect(ids.slice(0, 1000)).toEqual(accepted.reverse());
  });

  test('of more, or of none, is refused', async () => {
    const orders = Array.from({ length: 1001 }, () => ({ tasks }));
    expect((await world.send('post', '/v1/orders/batch').send({ orders })).status).toBe(400);
    expect((await world.send('post', '/v1/orders/batch').send({ orders: [] })).status).toBe(400);
  });
});

describe('lists', () => {
  test('can be narrowed by state, workflow and time', async () => {
    const id = await place();
    const get = async (query: string): Promise<string[]> => {
      const { status, body } = await world.send('get', `/v1/orders?client=default&${query}`);
      expect(status).toBe(200);
      return body.items.map((item: { id: string }) => item.id);
    };
    expect(await get('state=accepted&limit=1')).toEqual([id]);
    expect(await get('state=failed&state=completed')).toEqual([]);
    expect(await get('workflow=nothing')).toEqual([]);
    expect(await get(`createdAfter=${new Date(Date.now() + 60_000).toISOString()}`)).toEqual([]);
    expect((await get(`createdBefore=${new Date(Date.now() + 60_000).toISOString()}`)).length).toBeGreaterThan(0);
    expect((await world.send('get', '/v1/orders?cursor=zzz')).body.code).toBe('bad_request');
    expect((await world.send('get', '/v1/orders?state=what')).status).toBe(400);
    expect((await world.send('get', '/v1/orders?client=nobody')).body.items).toEqual([]);
  });
});

describe('cancelling', () => {
  test('ends the order and its open jobs for good', async () => {
    const id = await place();
    await world.begin(id);
    const cancelled = await world.send('post', `/v1/orders/${id}/cancel`);
    expect(cancelled.status).toBe(200);
    expect(cancelled.body).toMatchObject({
      state: 'cancelled',
      error: { code: 'cancelled' },
      jobs: { one: { state: 'cancelled', error: { code: 'cancelled' } }, two: { state: 'cancelled' } },
      version: 3,
    });
    const again = await world.send('post', `/v1/orders/${id}/cancel`);
    expect([again.status, again.body.code, again.body.state]).toEqual([409, 'already_ended', 'cancelled']);
    const jobs = await world.send('get', `/v1/orders/${id}/jobs`);
    expect(jobs.body.items).toMatchObject([{ step: 'one', uses: 'math/one', state: 'cancelled', lateReports: [] }]);
  });

  test('reaches the orders that its jobs had placed', async () => {
    const parent = await place();
    await world.begin(parent);
    const [job] = await world.store.prisma.job.findMany({ where: { orderId: parent } });
    const child = await place();
    await world.store.prisma.order.update({ where: { id: child }, data: { parentJobId: job?.id ?? null } });
    await world.send('post', `/v1/orders/${parent}/cancel`);
    expect((await world.send('get', `/v1/orders/${child}`)).body.state).toBe('cancelled');
  });
});

describe('waiting', () => {
  test('answers as soon as the order has ended', async () => {
    const waiting = world
      .send('post', '/v1/orders')
      .set('prefer', 'wait=20')
      .set('idempotency-key', 'w')
      .send({ tasks });
    const placed = waiting.then((answer) => answer);
    const deadline = Date.now() + 5000;
    let id: string | undefined;
    while (!id && Date.now() < deadline) {
      const row = await world.store.prisma.idempotencyKey.findFirst({ where: { key: 'w' } });
      id = (row?.answer as { id: string }[] | undefined)?.[0]?.id;
    }
    await world.send('post', `/v1/orders/${id}/cancel`);
    const answer = await placed;
    expect(answer.status).toBe(200);
    expect(answer.headers['preference-applied']).toBe('wait=20');
    expect(answer.body).toMatchObject({ id, state: 'cancelled' });
  });

  test('gives up after the time that was asked for', async () => {
    const answer = await world.send('post', '/v1/orders').set('prefer', 'respond-async, wait=1').send({ tasks });
    expect(answer.status).toBe(202);
  });
});
