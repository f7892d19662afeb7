import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, type ClientId, type OrderId, type PlanId, type ProfileId } from '@connecta/contracts';
import { testServices, type TestServices } from '@connecta/embedded';
import type pg from 'pg';
import {
  advanceFreeClocks,
  findOrCreatePlans,
  insertOrders,
  openStore,
  readIntakeFacts,
  recordHeartbeat,
  registerWorker,
  upsertProfiles,
  type Registration,
  type Store,
} from '../src/index.ts';

let services: TestServices;
let store: Store;
const clientId = newId<ClientId>();
const nothing = { clientIds: [], clientNames: [], workflows: [], profiles: [], blobIds: [], keys: [] };
const generation = async (): Promise<string> => (await readIntakeFacts(store, nothing)).generation as string;
const sql = (text: string): Promise<pg.QueryResult> => store.pool.query(text);

const profile = { id: newId<ProfileId>(), name: 'add', function: 'math.add', revision: 1 };
const registration: Registration = {
  ...{ type: 'w', role: 'api', instance: 'i', version: '1', language: 'ts', slots: 1, labels: {}, heartbeatMs: 5000 },
  ...{ apiUrl: 'http://localhost:1', transport: 'bullmq', owner: { team: 't', contact: 'c' } },
  functions: [{ name: 'math.add', version: '1.0.0' }],
  ...{ profiles: [profile], aliases: [{ from: 'old/add', to: 'w/add' }] },
};

beforeAll(async () => {
  services = await testServices();
  store = openStore({ databaseUrl: await services.databaseUrl('generation'), applicationName: 'test' });
  await registerWorker(store, registration);
  await store.prisma.client.create({ data: { id: clientId, name: 'c' } });
  await sql(`INSERT INTO workflows (name, latest_version) VALUES ('flow', 1)`);
  await sql(
    `INSERT INTO workflow_versions (id, name, version, hash, definition) VALUES ('${newId()}', 'flow', 1, 'h', '{}')`,
  );
});
afterAll(async () => {
  await store.close();
  await services.close();
});

test.each([
  ['the contract of a client', `UPDATE clients SET workflow = 'flow' WHERE name = 'c'`],
  ['the name of a client', `UPDATE clients SET name = 'd' WHERE name = 'c'`],
  ['a deleted client', `DELETE FROM clients WHERE name = 'd'`],
  ['a new version of a workflow', `UPDATE workflows SET latest_version = 2 WHERE name = 'flow'`],
  ['a hidden workflow', `UPDATE workflows SET deleted_at = now() WHERE name = 'flow'`],
  ['a version that is gone', `DELETE FROM workflow_versions WHERE name = 'flow'`],
  ['the revision of a profile', `UPDATE profiles SET revision = 7 WHERE worker_type = 'w'`],
  ['the name of a profile', `UPDATE profiles SET name = 'sum' WHERE worker_type = 'w'`],
  ['the target of an alias', `UPDATE profiles SET alias_of = 'w/sum' WHERE worker_type = 'old'`],
  ['a deleted profile', `UPDATE profiles SET deleted_at = now() WHERE worker_type = 'w'`],
  ['an alias that is gone', `DELETE FROM profiles WHERE worker_type = 'old'`],
  ['the behaviour of a worker type', `UPDATE worker_types SET behaviour = '{"math.add": {"version": "2"}}'`],
  [
    'a new worker type',
    `INSERT INTO worker_types SELECT (jsonb_populate_record(t, '{"name": "x"}')).* FROM worker_types t`,
  ],
  ['a worker type that is gone', `DELETE FROM worker_types WHERE name = 'w'`],
])('%s begins a new generation', async (_, change) => {
  const before = await generation();
  expect((await sql(change)).rowCount).toBe(1);
  expect(await generation()).not.toBe(before);
});

test('what happens all the time, changes nothing, or is new, begins none', async () => {
  const told = { ...registration, profiles: [{ ...profile, revision: 9 }] };
  await registerWorker(store, told);
  const before = await generation();
  const { workerId } = await registerWorker(store, told);
  const heartbeat = { workerId, workerType: 'w', freeSlots: 1, draining: false, held: [] };
  expect(await recordHeartbeat(store, { ...heartbeat, completeMs: 1, completeCapMs: 1 })).not.toBeNull();
  await advanceFreeClocks(store, 500);
  await upsertProfiles(store, 'w', told.profiles);
  await sql(`UPDATE clients SET retention_days = 3, webhook_generation = 2, workflow = workflow, updated_at = now()`);
  await sql(`UPDATE worker_types SET behaviour = behaviour, offline = '{}', compatibility = 'enforce'`);
  await upsertProfiles(store, 'w', [{ ...profile, id: newId<ProfileId>(), name: 'new' }]);
  await store.prisma.client.create({ data: { id: newId(), name: 'new' } });
  const plan = { steps: {}, outputs: [] } as never;
  await findOrCreatePlans(store, [{ hash: 'p', plan, workflow: { hash: 'v', definition: {} } }]);
  expect(await generation()).toBe(before);
});

test('facts and generation change together, once a transaction', async () => {
  const wanted = { ...nothing, profiles: [{ workerType: 'w', name: 'add' }] };
  const before = await readIntakeFacts(store, wanted);
  const other = await store.engine.connect();
  try {
    await other.query('BEGIN');
    await other.query(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = 'w'`);
    await other.query('SET CONSTRAINTS ALL IMMEDIATE');
    const inside = async (): Promise<unknown> => (await other.query('SELECT generation FROM intake_generation')).rows;
    const begun = await inside();
    expect(begun).not.toEqual([{ generation: before.generation }]);
    await other.query(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = 'w'`);
    expect(await inside()).toEqual(begun);
    expect(await readIntakeFacts(store, wanted)).toEqual(before);
    await other.query('COMMIT');
    const after = await readIntakeFacts(store, wanted);
    expect([{ generation: after.generation }]).toEqual(begun);
    expect(after.profiles[0]?.revision).toBe((before.profiles[0]?.revision ?? 0) + 2);
    await other.query('BEGIN');
    await other.query(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = 'w'`);
    await other.query('ROLLBACK');
    expect(await readIntakeFacts(store, wanted)).toEqual(after);
  } finally {
    other.release();
  }
});

test('transactions that change the same facts wait for each other and never in a circle', async () => {
  const [one, other] = [await store.engine.connect(), await store.engine.connect()];
  try {
    for (const client of [one, other]) await client.query('BEGIN');
    await one.query(`UPDATE clients SET workflow = 'a' WHERE name = 'new'`);
    await other.query(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = 'w'`);
    const waiting = one.query(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = 'w'`);
    await other.query('COMMIT');
    await waiting;
    await one.query('COMMIT');
  } finally {
    for (const client of [one, other]) client.release();
  }
});

test('orders are inserted only while what they were decided by is so', async () => {
  const ids = Array.from({ length: 4 }, () => newId<OrderId>());
  const order = (n: number) => ({
    ...{ id: ids[n] as OrderId, clientId, planId: newId<PlanId>(), input: n, createdBy: 't', traceparent: '-' },
    ...{ scope: 's', key: 'k' },
  });
  const insert = (n: number, known: string | null) => {
    const keys = [{ scope: 's', key: 'k', bodyHash: 'h', answer: [] }];
    return insertOrders(store, { orders: [order(n)], keys, generation: known });
  };
  const heard: unknown[] = [];
  const listener = await store.engine.connect();
  try {
    listener.on('notification', ({ channel }) => heard.push(channel));
    await listener.query('LISTEN connecta_intake');
    const old = await generation();
    await sql(`UPDATE profiles SET revision = revision + 1 WHERE worker_type = 'w'`);
    expect(await insert(0, old)).toEqual({ state: 'stale' });
    await listener.query('SELECT 1');
    expect(heard).toEqual([]);
    expect(await insert(1, await generation())).toEqual({ state: 'inserted', freeKeys: [{ scope: 's', key: 'k' }] });
    expect(await insert(2, await generation())).toEqual({ state: 'inserted', freeKeys: [] });
    await sql(`DELETE FROM idempotency_keys`);
    expect(await insert(3, null)).toMatchObject({ state: 'inserted' });
    await listener.query('SELECT 1');
    expect(heard.length).toBeGreaterThan(0);
  } finally {
    listener.release(true);
  }
  const { rows } = await store.pool.query('SELECT input FROM orders WHERE id = ANY($1::uuid[]) ORDER BY 1', [ids]);
  expect(rows).toEqual([{ input: 1 }, { input: 3 }]);
});

test('the generation is looked up by its key', async () => {
  const client = await store.pool.connect();
  try {
    const on = { ...store, pool: client as unknown as Store['pool'] };
    await readIntakeFacts(on, nothing);
    await insertOrders(on, { orders: [], keys: [], generation: null });
    for (const call of [
      `read_intake_facts('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')`,
      `insert_orders('[]', '[]', NULL, '')`,
    ]) {
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN EXECUTE ${call}`);
      expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(
        /Index Scan using intake_generation_pkey on intake_generation g/,
      );
    }
  } finally {
    client.release();
  }
});
