import { createHash, randomUUID } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { withClient } from './databases.ts';

/** A migration began in this database and never finished: look at it, repair by hand, then mark it resolved. */
export class FailedMigrationError extends Error {
  readonly code = 'failed_migration';
  readonly migration: string;
  constructor(migration: string) {
    super(`migration ${migration} failed earlier in this database (Prisma's P3009): resolve it before deploying`);
    this.migration = migration;
  }
}

// https://github.com/prisma/prisma-engines: the same table, checksum and lock, so that either tool can go on.
const advisoryLock = 72_707_369;
const createTable = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`;

/** What `prisma migrate deploy` does, without its command-line tool: 0.2 s instead of 2, and no binary to download. */
export function migrateDeploy(url: string, migrationsDir: string): Promise<readonly string[]> {
  return withClient(url, async (client) => {
    await client.query('SELECT pg_advisory_lock($1)', [advisoryLock]);
    await client.query(createTable);
    const pending = await pendingMigrations(client, migrationsDir);
    for (const name of pending) await apply(client, name, await readMigration(migrationsDir, name));
    return pending;
  });
}

/** The migrations of a folder in the order they apply, with what they contain. */
export async function readMigrations(dir: string): Promise<readonly { name: string; sql: string }[]> {
  const names = await migrationNames(dir);
  return Promise.all(names.map(async (name) => ({ name, sql: await readMigration(dir, name) })));
}

async function pendingMigrations(client: pg.Client, dir: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ migration_name: string; finished_at: Date | null }>(
    'SELECT migration_name, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  const failed = rows.find((row) => row.finished_at === null);
  if (failed) throw new FailedMigrationError(failed.migration_name);
  const applied = new Set(rows.map((row) => row.migration_name));
  return (await migrationNames(dir)).filter((name) => !applied.has(name));
}

async function apply(client: pg.Client, name: string, sql: string): Promise<void> {
  const id = randomUUID();
  const checksum = createHash('sha256').update(sql).digest('hex');
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    await client.query(sql);
  } catch (error) {
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, String(error)]);
    throw new Error(`migration ${name} failed`, { cause: error });
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id]);
}

async function migrationNames(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: unknown) => {
    throw new Error(`no migrations in ${dir}`, { cause: error });
  });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

const readMigration = (dir: string, name: string): Promise<string> =>
  readFile(join(dir, name, 'migration.sql'), 'utf8');
