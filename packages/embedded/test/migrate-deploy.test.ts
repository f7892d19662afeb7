import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { FailedMigrationError, migrateDeploy, testServices } from '../src/index.ts';
import type { TestServices } from '../src/index.ts';
import { withClient } from '../src/postgres/databases.ts';

let services: TestServices;
let migrations: string;
let url: string;
beforeAll(async () => {
  services = await testServices();
  migrations = mkdtempSync(join(tmpdir(), 'connecta-migrations-'));
});
beforeEach(async () => {
  rmSync(migrations, { recursive: true, force: true });
  url = await services.queueDatabaseUrl('migrate');
});
afterAll(async () => {
  rmSync(migrations, { recursive: true, force: true });
  await services.close();
});

function write(name: string, sql: string): void {
  mkdirSync(join(migrations, name), { recursive: true });
  writeFileSync(join(migrations, name, 'migration.sql'), sql);
}

const rowsOf = (sql: string): Promise<Record<string, unknown>[]> =>
  withClient(url, async (client) => (await client.query<Record<string, unknown>>(sql)).rows);

test('migrations apply once, in the order of their names', async () => {
  write('2_fill', 'INSERT INTO box VALUES (1);');
  write('1_make', 'CREATE TABLE box (id int);');
  expect(await migrateDeploy(url, migrations)).toEqual(['1_make', '2_fill']);
  expect(await migrateDeploy(url, migrations)).toEqual([]);
  expect(await rowsOf('SELECT id FROM box')).toEqual([{ id: 1 }]);
});

test('two that deploy at once do not meet', async () => {
  write('1_make', 'CREATE TABLE box (id int); SELECT pg_sleep(0.2);');
  const applied = await Promise.all([migrateDeploy(url, migrations), migrateDeploy(url, migrations)]);
  expect(applied.flat()).toEqual(['1_make']);
});

test('a migration that fails changes nothing, and nothing is deployed until somebody has looked at it', async () => {
  write('1_make', 'CREATE TABLE box (id int); SELECT 1 / 0;');
  await expect(migrateDeploy(url, migrations)).rejects.toThrow('migration 1_make failed');
  expect(await rowsOf("SELECT 1 FROM pg_tables WHERE tablename = 'box'")).toEqual([]);
  await expect(migrateDeploy(url, migrations)).rejects.toThrow(FailedMigrationError);
});
