import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { newId } from '@connecta/contracts';
import { webhookSecret } from '@connecta/runtime';
import { createChannel, listNotices, redeliver } from '@connecta/store';
import { Webhook } from 'standardwebhooks';
import { failure, openNotifyWorld, webhookKey, type NotifyWorld } from './notify-world.ts';
import { Receiver } from './receivers.ts';

let world: NotifyWorld;

beforeAll(async () => {
  world = await openNotifyWorld();
});
afterAll(() => world.close());
afterEach(() => world.reset());

let receiver: Receiver;
beforeEach(async () => {
  receiver = new Receiver();
  receiver.server.listen(0, '127.0.0.1');
  await once(receiver.server, 'listening');
});
afterEach(async () => {
  receiver.server.closeAllConnections();
  receiver.server.close();
  await once(receiver.server, 'close');
});

test("an order's end reaches its webhook once, signed with the client's secret", async () => {
  const id = await world.endedOrder({ webhook: receiver.url, result: { value: 14 } });
  const { turn, close } = world.notifier();
  await turn();
  await turn();
  close();
  expect(receiver.got).toHaveLength(1);
  const [{ headers, body } = { headers: {}, body: '' }] = receiver.got;
  const secret = webhookSecret(webhookKey, `client:${world.clientId}:1`);
  expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toMatchObject({
    type: 'order.completed',
    data: { orderId: id, client: 'tester', state: 'completed', result: { value: 14 } },
  });
  expect(await world.deliveries()).toMatchObject([{ orderId: id, state: 'delivered', attempts: 1, lastStatus: 204 }]);
});

test('a receiver that fails or hangs gets the same message again, under the same id', async () => {
  receiver.answers.push(500, 0);
  await world.endedOrder({ webhook: receiver.url });
  const { turn, close } = world.notifier();
  await turn();
  expect(await world.deliveries()).toMatchObject([{ state: 'due', attempts: 1, lastError: 'answered 500: not now' }]);
  await world.comesDue();
  await turn();
  expect(await world.deliveries()).toMatchObject([{ state: 'due', attempts: 2, lastError: 'did not answer in time' }]);
  await world.comesDue();
  await turn();
  close();
  expect(new Set(receiver.got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(await world.deliveries()).toMatchObject([{ state: 'delivered', attempts: 3 }]);
});

test('an address in the private network is not called unless its host is allowed', async () => {
  await world.endedOrder({ webhook: receiver.url });
  await world.endedOrder({ webhook: receiver.url.replace('127.0.0.1', 'localhost') });
  const { turn, close } = world.notifier({ hosts: [] });
  await turn();
  close();
  expect(receiver.got).toEqual([]);
  const reasons = (await world.deliveries()).map(({ lastError }) => lastError).sort();
  expect(reasons).toEqual(['127.0.0.1 is not called', 'localhost leads to an address that is not called']);
});

test('a message is given up after ten attempts over days, and can be sent once more by hand', async () => {
  receiver.answers.push(...Array.from({ length: 10 }, () => 503));
  await world.endedOrder({ webhook: receiver.url });
  const { turn, close } = world.notifier();
  for (let attempt = 1; attempt <= 12; attempt++) {
    await turn();
    await world.comesDue();
  }
  const [given] = await world.deliveries();
  expect(given).toMatchObject({ state: 'failed', attempts: 10 });
  expect(receiver.got).toHaveLength(10);
  expect(await redeliver(world.store, given?.id ?? '')).toBe(true);
  await turn();
  close();
  expect(await world.deliveries()).toMatchObject([{ state: 'delivered', attempts: 1 }]);
});

test('a message whose sender died comes again from another replica', async () => {
  const id = await world.endedOrder({ webhook: receiver.url });
  const died = world.notifier({ webhooks: { send: () => new Promise(() => undefined) } });
  void died.turn();
  for (const until = Date.now() + 10_000; (await world.deliveries())[0]?.attempts !== 1;)
    expect(Date.now()).toBeLessThan(until);
  await world.comesDue();
  const { turn, close } = world.notifier();
  await turn();
  close();
  died.close();
  expect(receiver.got).toHaveLength(1);
  expect(await world.deliveries()).toMatchObject([{ orderId: id, state: 'delivered', attempts: 2 }]);
});

test('the team of a failed task and the teams behind it are told once, however many orders it hit', async () => {
  await createChannel(world.store, {
    team: 'makers',
    kind: 'webhook',
    target: receiver.url,
    digestMs: 0,
    enabled: true,
  });
  await createChannel(world.store, {
    team: 'painters',
    kind: 'webhook',
    target: receiver.url,
    digestMs: 0,
    enabled: true,
  });
  const orders = [await world.failedOrder(), await world.failedOrder(), await world.failedOrder()];
  const { turn, close } = world.notifier();
  await turn();
  await world.failedOrder();
  await turn();
  const told = receiver.got.map(({ body }) => JSON.parse(body) as { type: string; data: { count: number } });
  expect(told.map(({ type }) => type).sort()).toEqual(['notice.blocked', 'notice.job_failed']);
  expect(told.find(({ type }) => type === 'notice.job_failed')?.data).toMatchObject({
    ...{ team: 'makers', count: 3 },
    subject: { task: 'maker/x', error: failure, orders: orders.map((orderId) => ({ orderId, step: 'make' })) },
  });
  expect(told.find(({ type }) => type === 'notice.blocked')?.data).toMatchObject({
    ...{ team: 'painters', count: 3 },
    subject: { task: 'maker/x', owner: 'makers', blocked: ['painter/x'] },
  });
  // After the quiet time the rest is told.
  expect(await listNotices(world.store, { team: 'makers', before: undefined, limit: 9 })).toMatchObject([
    { count: 4, toldCount: 3 },
  ]);
  await world.store.prisma.notice.updateMany({ where: { dueAt: { not: null } }, data: { dueAt: new Date(0) } });
  await turn();
  close();
  const later = receiver.got.slice(2).map(({ body }) => JSON.parse(body) as { data: { count: number } });
  expect(later.map(({ data }) => data.count)).toEqual([1, 1]);
});

test('a channel that is gone is switched off, and its team told over the others', async () => {
  receiver.answers.push(410);
  const target = receiver.url;
  const { channel: gone } = await createChannel(world.store, {
    team: 'makers',
    kind: 'webhook',
    target,
    digestMs: 0,
    enabled: true,
  });
  await world.failedOrder();
  const { turn, close } = world.notifier();
  await turn();
  const other = `${receiver.url}/other`;
  await createChannel(world.store, { team: 'makers', kind: 'webhook', target: other, digestMs: 0, enabled: true });
  await turn();
  await turn();
  close();
  const row = await world.store.prisma.notificationChannel.findUnique({ where: { id: gone.id } });
  expect(row).toMatchObject({ enabled: false, disabledReason: 'it is gone (410)' });
  const last = JSON.parse(receiver.got.at(-1)?.body ?? '{}') as object;
  expect(last).toMatchObject({ type: 'notice.channel_disabled', data: { subject: { target } } });
});

test('work for a type without a live worker is told after a while', async () => {
  const orderId = await world.endedOrder({ state: 'active' });
  const job = { id: newId(), orderId, step: 'paint', workerType: 'painter', function: 'x', profileId: newId() };
  const invokedAt = new Date(Date.now() - 60_000);
  await world.store.prisma.job.create({
    data: { ...job, profileRevision: 1, state: 'invoked', attempt: 1, input: 1, invokedAt },
  });
  const { turn, close } = world.notifier();
  await turn();
  await turn();
  close();
  const notices = await listNotices(world.store, { team: 'painters', before: undefined, limit: 9 });
  expect(notices).toMatchObject([{ kind: 'offline', subject: { workerType: 'painter', jobs: 1 } }]);
  await world.store.prisma.job.delete({ where: { id: job.id } });
});
