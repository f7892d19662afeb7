import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { testServices } from '../src/index.ts';
import type { TestServices } from '../src/index.ts';

let services: TestServices;
beforeAll(async () => {
  services = await testServices();
});
afterAll(() => services.close());

async function count(url: string, sql: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

test('every database is fresh and has all migrations applied', async () => {
  const [one, other] = await Promise.all([services.databaseUrl('one'), services.databaseUrl('other')]);
  expect(one).not.toBe(other);
  expect(await count(one, 'SELECT 1 FROM _prisma_migrations WHERE finished_at IS NOT NULL')).toBeGreaterThan(0);
  await count(one, 'CREATE TABLE mark (id int)');
  await expect(count(other, 'SELECT 1 FROM mark')).rejects.toThrow('does not exist');
});

test('a worker database has its own migrations', async () => {
  expect(await count(await services.workerDatabaseUrl(), "SELECT 1 FROM pg_tables WHERE tablename = 'profiles'")).toBe(
    1,
  );
});

test('a queue database is empty', async () => {
  const url = await services.queueDatabaseUrl();
  expect(await count(url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'")).toBe(0);
});
