import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import { inBatch, openStore, type Batch, type Store } from '../src/index.ts';

let services: TestServices;
let store: Store;

beforeAll(async () => {
  services = await testServices();
  store = openStore({ databaseUrl: await services.databaseUrl('batch'), applicationName: 'test' });
  await store.pool.query('CREATE TABLE kept (word text PRIMARY KEY)');
});
afterAll(async () => {
  await store.close();
  await services.close();
});

const keep = (batch: Batch, word: string): Promise<unknown> =>
  batch.run('keep', 'INSERT INTO kept (word) VALUES ($1)', [word]);
const kept = async (): Promise<string[]> => {
  const { rows } = await store.pool.query<{ word: string }>('SELECT word FROM kept ORDER BY word');
  return rows.map(({ word }) => word);
};

test('a transaction that its process leaves open is ended within five seconds, whichever connection it is on', async () => {
  const text = `SELECT setting::int AS ms FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'`;
  const { rows: hot } = await store.pool.query<{ ms: number }>(text);
  const { rows: engine } = await store.engine.query<{ ms: number }>(text);
  const prisma = await store.prisma.$queryRawUnsafe<{ ms: number }[]>(text);
  for (const { ms } of [...hot, ...engine, ...prisma]) {
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThan(5000);
  }
});

test('statements of one flight get their own rows, each sees what the one before it wrote', async () => {
  const rows = await inBatch(store, async (batch) => {
    const [, words, none, number] = await Promise.all([
      keep(batch, 'a'),
      batch.run('words', 'SELECT word FROM kept', []),
      batch.run('none', 'SELECT word FROM kept WHERE word = ANY($1::text[])', [['x']]),
      batch.run('number', 'SELECT 1 AS one, now() AS at, $1::jsonb AS body', ['{"b":[1]}']),
    ]);
    await batch.commit([keep(batch, 'b')]);
    return { words, none, number };
  });
  expect(rows).toEqual({
    words: [{ word: 'a' }],
    none: [],
    number: [{ one: 1, at: expect.any(Date), body: { b: [1] } }],
  });
  expect(await kept()).toEqual(['a', 'b']);
});

test('a statement that fails in the last flight is the error of the commit, and nothing stays', async () => {
  const work = inBatch(store, async (batch) => {
    await keep(batch, 'c');
    await batch.commit([keep(batch, 'd'), keep(batch, 'a'), keep(batch, 'e')]);
  });
  await expect(work).rejects.toMatchObject({ code: '23505' });
  expect(await kept()).toEqual(['a', 'b']);
});

test('values that cannot be sent fail their batch alone', async () => {
  const circle: Record<string, unknown> = {};
  circle['itself'] = circle;
  const work = inBatch(store, async (batch) => {
    await batch.commit([keep(batch, 'f'), batch.run('circle', 'SELECT $1::text', [circle])]);
  });
  await expect(work).rejects.toThrow(TypeError);
  expect(await kept()).toEqual(['a', 'b']);
});

test('a failure that the work overlooks rolls everything back', async () => {
  const work = inBatch(store, async (batch) => {
    await keep(batch, 'a').catch(() => {});
    await batch.commit([keep(batch, 'g')]);
  });
  await expect(work).rejects.toMatchObject({ code: '25P02' });
  expect(await kept()).toEqual(['a', 'b']);
});

test('a server that ends the connection before the commit leaves nothing, and says so', async () => {
  const work = inBatch(store, async (batch) => {
    const end = batch.run('end', 'SELECT pg_terminate_backend(pg_backend_pid())', []);
    await batch.commit([keep(batch, 'h'), end]);
  });
  await expect(work).rejects.toMatchObject({ code: '57P01' });
  expect(await kept()).toEqual(['a', 'b']);
});
