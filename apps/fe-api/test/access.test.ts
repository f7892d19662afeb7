import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import request from 'supertest';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('fe_access');
}, 60_000);
afterAll(() => world.close());

const tasks = ['math/one'];

describe('clients', () => {
  test('have contracts, revisions and names that are their own', async () => {
    const created = await world.send('post', '/v1/clients').send({ name: 'a-client', retentionDays: 7 });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ name: 'a-client', workflow: null, retentionDays: 7, revision: 1 });
    expect((await world.send('get', '/v1/clients/a-client')).body).toEqual(created.body);
    const changed = await world.send('put', '/v1/clients/a-client').set('if-match', '"1"').send({ name: 'b-client' });
    expect(changed.body).toMatchObject({ id: created.body.id, name: 'b-client', retentionDays: 30, revision: 2 });
    expect((await world.send('put', '/v1/clients/b-client').set('if-match', '"1"').send({ name: 'c' })).status).toBe(
      412,
    );
    expect(
      (await world.send('put', '/v1/clients/b-client').set('if-match', '"2"').send({ name: 'own' })).body.code,
    ).toBe('name_taken');
    expect((await world.send('post', '/v1/clients').send({ name: 'own' })).body.code).toBe('name_taken');
    const unknown = await world.send('post', '/v1/clients').send({ name: 'd', workflow: 'none' });
    expect([unknown.status, unknown.body.code]).toEqual([422, 'unknown_workflow']);
    const likeId = await world.send('post', '/v1/clients').send({ name: 'abcdef01-7a11-7c22-8d33-9e44af55b066' });
    expect(likeId.status).toBe(400);
    for (const client of ['b-client', created.body.id]) {
      const schedule = { name: 'daily', every: '1d', order: { client, tasks } };
      const { body } = await world.send('post', '/v1/schedules').send(schedule);
      const scheduled = await world.send('delete', '/v1/clients/b-client').set('if-match', '"2"');
      expect([scheduled.status, scheduled.body.code]).toEqual([409, 'in_use']);
      expect(scheduled.body.detail).toContain('schedules (daily)');
      await world.send('delete', `/v1/schedules/${body.id}`).set('if-match', '"1"');
    }
    expect((await world.send('delete', '/v1/clients/b-client').set('if-match', '"2"')).status).toBe(204);
    expect((await world.send('delete', '/v1/clients/own').set('if-match', '*')).body.code).toBe('in_use');
    expect((await world.send('get', '/v1/clients?limit=2')).body.items).toHaveLength(2);
  });
});

describe('API keys', () => {
  test('are shown once, kept as a hash, and can be revoked', async () => {
    const made = await world.send('post', '/v1/api-keys').send({ name: 'k', role: 'client', client: 'own' });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ role: 'client', client: 'own', key: expect.stringMatching(/^ck_/) });
    const rows = JSON.stringify(await world.store.prisma.apiKey.findMany());
    expect(rows).not.toContain(made.body.key);
    const me = await request(world.url).get('/v1/me').set('authorization', `Bearer ${made.body.key}`);
    expect(me.body).toEqual({ name: 'k', role: 'client', client: 'own' });
    expect((await world.send('get', `/v1/api-keys/${made.body.id}`)).body).not.toHaveProperty('key');
    expect((await world.send('get', '/v1/api-keys')).body.items[0]).toMatchObject({ id: made.body.id });
    expect((await world.send('delete', `/v1/api-keys/${made.body.id}`)).status).toBe(204);
    expect((await world.send('delete', `/v1/api-keys/${made.body.id}`)).status).toBe(404);
  });

  test('of clients name one, others none', async () => {
    expect((await world.send('post', '/v1/api-keys').send({ name: 'k', role: 'client' })).status).toBe(400);
    expect((await world.send('post', '/v1/api-keys').send({ name: 'k', role: 'admin', client: 'own' })).status).toBe(
      400,
    );
    expect((await world.send('post', '/v1/api-keys').send({ name: 'k', role: 'client', client: 'x' })).status).toBe(
      422,
    );
  });
});

describe('service accounts', () => {
  test('belong to a worker type and name the clients they act for', async () => {
    const wanted = { name: 'inbox', workerType: 'math', allowedClients: [world.clients.own, 'other'] };
    const made = await world.send('post', '/v1/service-accounts').send(wanted);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ allowedClients: ['own', 'other'], key: expect.stringMatching(/^sk_/) });
    expect((await world.send('post', '/v1/service-accounts').send(wanted)).body.code).toBe('name_taken');
    const path = `/v1/service-accounts/${made.body.id}`;
    expect(made.body.mayNameFiles).toBe(false);
    expect((await world.send('patch', path).send({ mayNameFiles: true })).body.mayNameFiles).toBe(true);
    expect((await world.send('patch', path).send({ allowedClients: ['*'] })).body.allowedClients).toEqual(['*']);
    expect((await world.send('patch', path).send({ allowedClients: ['own', 'nobody'] })).body.errors).toMatchObject([
      { path: '/allowedClients/1' },
    ]);
    expect((await world.send('delete', path)).status).toBe(204);
    expect((await world.send('get', path)).status).toBe(404);
    expect((await world.send('post', '/v1/service-accounts').send(wanted)).status).toBe(201);
  });
});

describe('a repeat under one Idempotency-Key', () => {
  const once = (path: string, key: string, body: object) =>
    world.send('post', path).set('idempotency-key', key).send(body);

  test('makes no second secret, and cannot show the first', async () => {
    const things: [string, string, object][] = [
      ['/v1/api-keys', 'api-key', { name: 'once', role: 'viewer' }],
      ['/v1/service-accounts', 'account', { name: 'once', workerType: 'math' }],
    ];
    for (const [path, key, body] of things) {
      const made = await once(path, key, body);
      expect(made.status).toBe(201);
      const again = await once(path, key, body);
      expect([again.status, again.body.code, again.body.id]).toEqual([409, 'already_created', made.body.id]);
      expect(JSON.stringify(again.body)).not.toContain(made.body.key);
      expect((await once(path, key, { ...body, name: 'other' })).body.code).toBe('idempotency_mismatch');
      // When it was revoked since, then the key does not stand for it any more, nor for another
      expect((await world.send('delete', `${path}/${made.body.id}`)).status).toBe(204);
      expect((await once(path, key, body)).status).toBe(410);
    }
  });
});

describe('the wall between tenants', () => {
  test('makes whatever is foreign look as if it were not there', async () => {
    const { body: order } = await world.as('otherClient')('post', '/v1/orders').send({ tasks, input: 1 });
    const blob = await world.as('otherClient')('post', '/v1/blobs').type('text/plain').send('secret');
    const client = world.as('client');
    for (const path of ['', '/jobs', '/events']) {
      expect((await client('get', `/v1/orders/${order.id}${path}`)).status).toBe(404);
    }
    expect((await client('post', `/v1/orders/${order.id}/cancel`)).status).toBe(404);
    expect((await client('get', '/v1/orders?client=other')).body.items).toEqual([]);
    expect((await client('get', '/v1/orders')).body.items).toEqual([]);
    expect((await client('post', '/v1/orders').send({ tasks, client: 'other' })).status).toBe(404);
    const { blobId } = blob.body;
    expect((await client('get', `/v1/blobs/${blobId}`)).status).toBe(404);
    const inside = await client('post', '/v1/orders').send({ tasks, input: { images: [{ blobId }] } });
    expect([inside.status, inside.body.code, inside.body.errors[0].path]).toEqual([
      ...[422, 'unknown_blob', '/input/images/0'],
    ]);
    const never = await client('post', '/v1/orders').send({ tasks, blobId: '0192f0c1-7a11-7c22-8d33-9e44af55b066' });
    expect([never.status, never.body.code]).toEqual([422, 'unknown_blob']);
    const file = { file: { share: 'in', path: 'x' } };
    expect((await client('post', '/v1/orders').send({ tasks, input: file })).body.code).toBe('invalid_input');
  });

  test('and between roles', async () => {
    const paths = ['workers', 'workflows', 'clients', 'api-keys', 'service-accounts', 'stats'];
    for (const path of paths) expect((await world.as('client')('get', `/v1/${path}`)).status).toBe(403);
    expect((await world.as('viewer')('post', '/v1/orders').send({ tasks })).status).toBe(403);
    expect((await world.as('operator')('get', '/v1/api-keys')).status).toBe(403);
    expect((await world.as('operator')('post', '/v1/orders').send({ tasks })).status).toBe(202);
    expect((await request(world.url).get('/v1/orders')).status).toBe(401);
    const wrong = await request(world.url).get('/v1/orders').set('authorization', 'Bearer ck_wrong');
    expect([wrong.status, wrong.body.code, wrong.headers['content-type']]).toEqual([
      ...[401, 'unauthenticated', 'application/problem+json; charset=utf-8'],
    ]);
  });
});

describe('bad input gets a problem and never a 500', () => {
  const bomb = '['.repeat(5000) + ']'.repeat(5000);
  test.each<[string, string, string | object, number]>([
    ['no JSON', '/v1/orders', '{"input":', 400],
    ['a JSON bomb', '/v1/orders', `{"tasks":["math/one"],"input":${bomb}}`, 400],
    ['a bomb in a batch', '/v1/orders/batch', `{"orders":[{"input":${bomb}}]}`, 400],
    ['65 levels', '/v1/orders', `{"input":${'['.repeat(65)}${']'.repeat(65)}}`, 400],
    ['NUL in a text', '/v1/orders', '{"tasks":["math/one"],"input":"a\\u0000b"}', 400],
    ['half a surrogate pair', '/v1/orders', '{"tasks":["math/one"],"input":"\\ud800"}', 400],
    ['a number too large', '/v1/orders', '{"tasks":["math/one"],"input":1e999}', 400],
    ['__proto__', '/v1/orders', '{"tasks":["math/one"],"__proto__":{"client":"own"}}', 400],
    ['an unknown member', '/v1/orders', { tasks, tsks: [] }, 400],
    ['a list', '/v1/orders', [], 400],
    ['too many tasks', '/v1/orders', { tasks: Array.from({ length: 1001 }, () => 'math/one') }, 400],
    ['tasks and steps', '/v1/orders', { tasks, steps: { a: { uses: 'math/one' } } }, 400],
    ['input and blob', '/v1/orders', { tasks, input: 1, blobId: '0192f0c1-7a11-7c22-8d33-9e44af55b066' }, 400],
    ['a cycle', '/v1/orders', { steps: { a: { uses: 'math/one', needs: ['a'] } } }, 422],
    ['params that are too large', '/v1/orders', { tasks, params: { a: 'x'.repeat(9000) } }, 422],
    ['orders that are no list', '/v1/orders/batch', { orders: {} }, 400],
    ['a key without a role', '/v1/api-keys', { name: 'x' }, 400],
  ])('%s', async (_title, path, body, status) => {
    const answer = await world
      .send('post', path)
      .type('application/json')
      .send(typeof body === 'string' ? body : JSON.stringify(body));
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body.code).toEqual(expect.any(String));
  });

  test('a body that is too large, of a wrong type, or cut off', async () => {
    const large = JSON.stringify({ tasks, input: 'x'.repeat(5_000_000) });
    expect((await world.send('post', '/v1/orders').type('json').send(large)).status).toBe(413);
    expect((await world.send('post', '/v1/orders').type('text/plain').send('x')).status).toBe(415);
    const boundary = 'x';
    const cut = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhel`;
    const form = await world.send('post', '/v1/orders').type(`multipart/form-data; boundary=${boundary}`).send(cut);
    expect(form.status).toBe(400);
  });

  test('wrong ids, methods and paths', async () => {
    expect((await world.send('get', '/v1/orders/none')).status).toBe(400);
    expect((await world.send('get', '/v1/orders/0192f0c1-7a11-7c22-8d33-9e44af55b066')).status).toBe(404);
    expect((await world.send('put', '/v1/orders')).status).toBe(405);
    expect((await world.send('get', '/v1/nothing')).status).toBe(404);
    expect((await world.send('get', '/v1/orders/%ff')).status).toBe(400);
    expect((await world.send('post', '/v1/orders').set('idempotency-key', 'x y').send({ tasks })).status).toBe(400);
  });
});
