import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, type BlobId, type ClientId, type JobId, type OrderId, type PlanId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import {
  inBatch,
  insertOrders,
  listen,
  lockOrders,
  openStore,
  readIntakeSignal,
  requestCancel,
  takeAcceptedOrders,
  takeToldOrders,
  type NewOrder,
  type OrderWrites,
  type Store,
} from '../src/index.ts';

let services: TestServices;
let store: Store;
let listener: ReturnType<typeof listen>;
const signals: string[] = [];
const stores: Store[] = [];

beforeAll(async () => {
  services = await testServices();
  const databaseUrl = await services.databaseUrl('told-orders');
  for (let i = 0; i < 3; i++) stores.push(openStore({ databaseUrl, applicationName: 'test' }));
  store = stores[0] as Store;
  const onError = (error: Error): never => {
    throw error;
  };
  const onSignal = (_: unknown, payload: string): void => void signals.push(payload);
  listener = listen({ databaseUrl, channels: ['intake'], onSignal, onGap: () => undefined, onError });
  await listener.ready;
});
afterAll(async () => {
  await listener.close();
  for (const each of stores) await each.close();
  await services.close();
});

const orderOf = (more: Partial<NewOrder> = {}): NewOrder => ({
  ...{ id: newId<OrderId>(), clientId: newId<ClientId>(), planId: newId<PlanId>() },
  ...{ input: 1, createdBy: 'tester', traceparent: '-' },
  ...more,
});
const insert = async (...orders: NewOrder[]): Promise<OrderId[]> => {
  await insertOrders(store, { orders, keys: [], generation: null });
  return orders.map(({ id }) => id);
};
/** What is told when this is done. */
const toldBy = async (work: () => Promise<unknown>): Promise<string> => {
  const before = signals.length;
  await work();
  for (let left = 500; left > 0 && signals.length === before; left--)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(signals).toHaveLength(before + 1);
  return signals.at(-1) as string;
};
const acceptedOrders = (): Promise<Awaited<ReturnType<typeof takeAcceptedOrders>>> =>
  inBatch(store, async (batch) => {
    const orders = await takeAcceptedOrders(batch, 1000);
    await batch.commit([]);
    return orders;
  });
/** What makes orders active, each with one job. */
const writesOf = (ids: readonly OrderId[]): OrderWrites => ({
  orders: ids.map((id) => ({ id, state: 'active', version: 2, progress: { only: 'invoked' } })),
  history: ids.map((orderId) => ({ orderId, seq: 1, events: [{ type: 'order', state: 'active', epoch: 1 }] })),
  jobs: ids.map((orderId) => ({
    ...{ id: newId<JobId>(), orderId, step: 'only', item: 0, workerType: 'w', function: 'f' },
    ...{ profileId: newId(), profileRevision: 1, input: 1 },
  })),
});
const leftOf = async (id: OrderId): Promise<unknown[]> => {
  const { state } = await store.prisma.order.findUniqueOrThrow({ where: { id } });
  const [jobs, rows] = await Promise.all([
    store.prisma.job.count({ where: { orderId: id, state: 'invoked' } }),
    store.prisma.orderEvents.count({ where: { orderId: id } }),
  ]);
  return [state, jobs, rows];
};

test('the signal of an order alone tells it as it is read from the table', async () => {
  const context = { blobId: newId<BlobId>(), mediaType: 'a/b', size: 1, sha256: '0'.repeat(64) };
  const input = { b: [1.5, null, 'ä\n'], a: { '': true } };
  const orders = [
    orderOf(),
    orderOf({ input: null }),
    orderOf({ input, params: { strategy: 'x', deep: { n: 1e21 } }, priority: 0, context, cacheTtlMs: 60_000 }),
    orderOf({ webhook: 'http://127.0.0.1/', input: 'x'.repeat(6000) }),
  ];
  for (const order of orders) {
    const payload = await toldBy(() => insert(order));
    const row = (await acceptedOrders()).find(({ id }) => id === order.id);
    expect(row).toBeDefined();
    expect(readIntakeSignal(payload)).toEqual(row);
  }
});

test('several orders, and an order of which more must be known or that does not fit, are not told', async () => {
  const [parent] = await insert(orderOf());
  await takeToldOrders(store, writesOf([parent as OrderId]));
  const job = await store.prisma.job.findFirstOrThrow({ where: { orderId: parent as string } });
  expect(await toldBy(() => insert(orderOf(), orderOf()))).toBe('');
  expect(await toldBy(() => insert(orderOf({ concurrencyKey: 'k', concurrencyMax: 1 })))).toBe('');
  expect(await toldBy(() => insert(orderOf({ parentJobId: job.id as JobId })))).toBe('');
  expect(await toldBy(() => insert(orderOf({ rerunOf: parent })))).toBe('');
  expect(await toldBy(() => insert(orderOf({ input: 'ä'.repeat(4000) })))).toBe('');
  expect(await toldBy(() => insert(orderOf({ input: 'x'.repeat(50_000) })))).toBe('');
});

test('an order that its key keeps out is not told', async () => {
  const key = { scope: 's', key: 'k', bodyHash: 'h', answer: [] };
  const withKey = (): NewOrder => orderOf({ scope: 's', key: 'k' });
  const [first, second] = [withKey(), withKey()];
  expect(
    readIntakeSignal(await toldBy(() => insertOrders(store, { orders: [first], keys: [key], generation: null })))?.id,
  ).toBe(first.id);
  expect(await toldBy(() => insertOrders(store, { orders: [second], keys: [key], generation: null }))).toBe('');
  expect(await store.prisma.order.count({ where: { id: second.id } })).toBe(0);
});

test('told orders are taken once, by whoever is first', async () => {
  for (let round = 0; round < 20; round++) {
    const ids = await insert(orderOf(), orderOf(), orderOf());
    const taken = await Promise.all(stores.map((each) => takeToldOrders(each, writesOf(ids))));
    expect(taken.flat().sort()).toEqual([...ids].sort());
    for (const id of ids) expect(await leftOf(id)).toEqual(['active', 1, 1]);
  }
});

test('of an order that was cancelled, or that somebody holds, nothing is written, and the others are', async () => {
  const ids = (await insert(orderOf(), orderOf(), orderOf())) as [OrderId, OrderId, OrderId];
  const [cancelled, held, free] = ids;
  await requestCancel(store, cancelled, 'tester');
  const before = await leftOf(cancelled);
  const pid = async (): Promise<unknown> => (await store.engine.query('SELECT pg_backend_pid()')).rows;
  await inBatch(stores[1] as Store, async (batch) => {
    await lockOrders(batch, [held]);
    const on = await pid();
    expect(await takeToldOrders(store, writesOf(ids))).toEqual([free]);
    expect(await pid()).toEqual(on);
    await batch.commit([]);
  });
  expect(await leftOf(cancelled)).toEqual(before);
  expect(await leftOf(held)).toEqual(['accepted', 0, 0]);
  expect(await leftOf(free)).toEqual(['active', 1, 1]);
  expect(await takeToldOrders(store, writesOf([held]))).toEqual([held]);
});

test('what the database refuses has written nothing; a session that it ends may have', async () => {
  const [id] = (await insert(orderOf())) as [OrderId];
  const { jobs, ...others } = writesOf([id]);
  const refused = jobs.map((job) => ({ ...job, input: 'a\0b' }));
  await expect(takeToldOrders(store, { ...others, jobs: refused })).rejects.toMatchObject({ code: '22P05' });
  expect(await leftOf(id)).toEqual(['accepted', 0, 0]);
  await store.pool.query(`CREATE FUNCTION end_session() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN new; END $$`);
  await store.pool.query('CREATE TRIGGER ended BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION end_session()');
  await expect(takeToldOrders(store, { jobs, ...others })).rejects.toMatchObject({ name: 'CommitUnknown' });
  await store.pool.query('DROP TRIGGER ended ON jobs');
  expect(await leftOf(id)).toEqual(['accepted', 0, 0]);
  expect(await takeToldOrders(store, { jobs, ...others })).toEqual([id]);
});
