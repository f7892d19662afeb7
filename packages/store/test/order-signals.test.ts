import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, type OrderId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import { OrderWatch, createOrderNotifier, openStore, type OrderNotifier, type Store } from '../src/index.ts';

let services: TestServices;
let store: Store;
let watch: OrderWatch;
let notifier: OrderNotifier;

beforeAll(async () => {
  services = await testServices();
  const databaseUrl = await services.databaseUrl('order-signals');
  const onError = (error: Error): never => {
    throw error;
  };
  store = openStore({ databaseUrl, applicationName: 'test' });
  watch = new OrderWatch({ databaseUrl, onError });
  await watch.subscribe(newId<OrderId>()).ready;
  notifier = createOrderNotifier(store, onError);
});
afterAll(async () => {
  await watch.close();
  await store.close();
  await services.close();
});

const sinceMs = async (work: Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work;
  return performance.now() - start;
};

test('whoever waits for any change hears of each, whoever waits for the end of the end alone', async () => {
  const orderId = newId<OrderId>();
  const [any, end] = [watch.subscribe(orderId), watch.subscribe(orderId, 'end')];
  notifier.notify([{ orderId, open: true }]);
  expect(await sinceMs(any.changed(5_000))).toBeLessThan(4_000);
  expect(await sinceMs(end.changed(200))).toBeGreaterThan(150);
  notifier.notify([{ orderId, open: false }]);
  expect(await sinceMs(Promise.all([any.changed(5_000), end.changed(5_000)]))).toBeLessThan(4_000);
});

test('signals go on after many changes came while others were under way', async () => {
  for (let round = 0; round < 5; round += 1) {
    const orderId = newId<OrderId>();
    const end = watch.subscribe(orderId, 'end');
    notifier.notify([{ orderId, open: true }]);
    notifier.notify([{ orderId: newId<OrderId>(), open: false }]);
    notifier.notify([{ orderId, open: true }]);
    await new Promise((resolve) => setTimeout(resolve, 40));
    notifier.notify([{ orderId, open: false }]);
    expect(await sinceMs(end.changed(5_000))).toBeLessThan(4_000);
    end.close();
  }
});

test('many orders at once are told by their ids', async () => {
  const orderIds = Array.from({ length: 1_000 }, () => newId<OrderId>());
  const subscriptions = orderIds.map((orderId) => watch.subscribe(orderId, 'end'));
  const stranger = watch.subscribe(newId<OrderId>(), 'end');
  notifier.notify(orderIds.map((orderId) => ({ orderId, open: false })));
  expect(await sinceMs(Promise.all(subscriptions.map((one) => one.changed(5_000))))).toBeLessThan(4_000);
  expect(await sinceMs(stranger.changed(200))).toBeGreaterThan(150);
});

test('who asks for an order a moment after its end need not wait for another signal', async () => {
  const [orderId, other] = [newId<OrderId>(), newId<OrderId>()];
  const beforeMs = performance.now();
  const first = watch.subscribe(orderId, 'end');
  notifier.notify([{ orderId, open: false }]);
  await first.changed(5_000);
  const late = watch.subscribe(orderId, 'end');
  expect(late.heardSince(beforeMs)).toBe(true);
  expect(late.heardSince(beforeMs - 3_600_000)).toBe(false);
  expect(await sinceMs(late.changed(5_000))).toBeLessThan(4_000);
  expect(await sinceMs(watch.subscribe(other, 'end').changed(200))).toBeGreaterThan(150);
});

test('what nobody listened to was not heard', async () => {
  const deaf = new OrderWatch({
    databaseUrl: 'postgresql://nobody@127.0.0.1:1/none',
    onError: () => undefined,
  });
  const subscription = deaf.subscribe(newId<OrderId>(), 'end');
  await subscription.ready;
  expect(subscription.heardSince(performance.now())).toBe(false);
  await deaf.close();
});

test('the end of an order is not forgotten behind a later change', async () => {
  const orderId = newId<OrderId>();
  const end = watch.subscribe(orderId, 'end');
  notifier.notify([
    { orderId, open: false },
    { orderId, open: true },
  ]);
  expect(await sinceMs(end.changed(5_000))).toBeLessThan(4_000);
  await notifier.flush();
});
