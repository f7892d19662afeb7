import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openFeWorld, type FeWorld } from './fe-world.ts';

let world: FeWorld;
beforeAll(async () => {
  world = await openFeWorld('notifications');
});
afterAll(() => world.close());

const channel = { team: 'imaging', kind: 'webhook', target: 'https://imaging.example/hook' };
const path = '/v1/notification-channels';

describe('notification channels', () => {
  test('are made, changed under If-Match, listed by team and deleted', async () => {
    const made = await world.as('operator')('post', path).send(channel).expect(201);
    expect(made.body).toMatchObject({ ...channel, digestMs: 0, enabled: true, revision: 1 });
    const place = String(made.headers['location']);
    await world.send('put', place).send(channel).expect(428);
    const changed = { ...channel, digestMs: 60_000, enabled: false };
    await world.send('put', place).set('if-match', '"7"').send(changed).expect(412);
    const put = await world.send('put', place).set('if-match', '"1"').send(changed).expect(200);
    expect(put.body).toMatchObject({ ...changed, revision: 2 });
    const listed = await world.as('viewer')('get', `${path}?team=imaging`).expect(200);
    expect(listed.body.items).toHaveLength(1);
    expect((await world.send('get', `${path}?team=others`).expect(200)).body.items).toEqual([]);
    await world.send('delete', place).set('if-match', '"2"').expect(204);
    await world.send('get', place).expect(404);
  });

  test('that cannot be reached by their kind are refused with the field at fault', async () => {
    for (const target of ['not a url', 'ftp://x.example/', 'https://user:secret@x.example/']) {
      const answer = await world
        .send('post', path)
        .send({ ...channel, target })
        .expect(422);
      expect(answer.body.errors).toEqual([
        { path: '/target', message: 'must be an http or https URL without credentials' },
      ]);
    }
    const mail = await world
      .send('post', path)
      .send({ ...channel, kind: 'mail' })
      .expect(422);
    expect(mail.body.errors[0].message).toBe('must be a mail address');
  });

  test('are made once under one Idempotency-Key', async () => {
    const once = { ...channel, team: 'once' };
    const made = await world.send('post', path).set('idempotency-key', 'c').send(once).expect(201);
    const again = await world.send('post', path).set('idempotency-key', 'c').send(once).expect(200);
    expect(again.body).toEqual(made.body);
  });

  test('of one team and target are one', async () => {
    await world.send('post', path).send(channel).expect(201);
    expect((await world.send('post', path).send(channel).expect(409)).body.code).toBe('name_taken');
  });

  test('have a secret that a rotation replaces', async () => {
    const { body } = await world
      .send('post', path)
      .send({ ...channel, target: 'https://other.example' })
      .expect(201);
    const before = await world.send('get', `${path}/${body.id}/secret`).expect(200);
    const after = await world.send('post', `${path}/${body.id}/secret`).expect(200);
    expect(after.body).toMatchObject({ generation: 2 });
    expect(after.body.secret).not.toBe(before.body.secret);
    await world.as('viewer')('get', `${path}/${body.id}/secret`).expect(403);
  });
});

describe('webhooks of orders', () => {
  test("a client reads and rotates its own secret, and another's is not there", async () => {
    const own = await world.as('client')('get', '/v1/clients/own/webhook-secret').expect(200);
    expect(own.body.secret).toMatch(/^whsec_/);
    await world.as('client')('get', '/v1/clients/other/webhook-secret').expect(404);
    await world.as('viewer')('get', '/v1/clients/own/webhook-secret').expect(403);
    const rotated = await world.as('client')('post', '/v1/clients/own/webhook-secret').expect(200);
    expect(rotated.body.secret).not.toBe(own.body.secret);
  });

  test('a webhook that is no usable URL refuses the order', async () => {
    for (const webhook of ['nothing', 'file:///etc/passwd', 'http://a:b@x.example', 7]) {
      const answer = await world.send('post', '/v1/orders').send({ tasks: ['math/plus-1'], webhook });
      expect([400, 422]).toContain(answer.status);
      expect(answer.body.errors[0].path).toBe('/webhook');
    }
  });

  test('a client sees the deliveries of its own orders alone', async () => {
    const body = { type: 'order.completed' };
    const common = { kind: 'webhook', target: 'https://x.example', signedAs: 'x', body, state: 'failed' };
    const id = '01900000-0000-7000-8000-00000000000';
    await world.store.prisma.delivery.create({ data: { id: `${id}1`, ...common, clientId: world.clients.own } });
    await world.store.prisma.delivery.create({ data: { id: `${id}2`, ...common, clientId: world.clients.other } });
    const own = await world.as('client')('get', '/v1/deliveries').expect(200);
    expect(own.body.items.map((item: { id: string }) => item.id)).toEqual([`${id}1`]);
    expect((await world.as('viewer')('get', '/v1/deliveries?state=failed').expect(200)).body.items).toHaveLength(2);
    await world.as('client')('post', `/v1/deliveries/${id}1/redeliver`).expect(403);
    const again = await world.as('operator')('post', `/v1/deliveries/${id}1/redeliver`).expect(202);
    expect(again.body).toMatchObject({ state: 'due', attempts: 0 });
    await world.as('operator')('post', `/v1/deliveries/${id}1/redeliver`).expect(409);
    await world.as('operator')('post', `/v1/deliveries/${id}9/redeliver`).expect(404);
  });
});
