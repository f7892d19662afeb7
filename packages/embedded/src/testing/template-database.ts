import { createHash } from 'node:crypto';
import { copyDatabase, dropDatabase, ensureDatabase, withClient } from '../postgres/databases.ts';
import { migrateDeploy, readMigrations } from '../postgres/migrate-deploy.ts';
import { uniqueTestName } from './test-stack.ts';

// Any number that nobody else locks on; it makes the test processes take turns at making a template.
const templateLock = 640_118_203;

/**
 * A fresh database with all migrations of a folder applied. The first caller makes a template named after the content
 * of the migrations; every further one is a copy of it (about 40 ms, however many migrations there are).
 */
export async function createTestDatabase(
  serverUrl: string,
  options: { name: string; migrationsDir?: string },
): Promise<{ name: string; url: string }> {
  const name = uniqueTestName(options.name);
  if (options.migrationsDir === undefined) return { name, url: await ensureDatabase(serverUrl, name) };
  const from = await ensureTemplate(serverUrl, options.migrationsDir);
  return { name, url: await copyDatabase(serverUrl, { name, from }) };
}

async function ensureTemplate(serverUrl: string, migrationsDir: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, sql } of await readMigrations(migrationsDir)) hash.update(`${name}\0${sql}\0`);
  const template = `template_${hash.digest('hex').slice(0, 16)}`;
  await withClient(serverUrl, async (client) => {
    const exists = async (): Promise<boolean> =>
      Boolean((await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [template])).rowCount);
    if (await exists()) return;
    await client.query('SELECT pg_advisory_lock($1)', [templateLock]);
    if (await exists()) return;
    // Renamed only when whole: a half-migrated template must never be copied.
    const half = `${template}_half`;
    await dropDatabase(serverUrl, half);
    await migrateDeploy(await ensureDatabase(serverUrl, half), migrationsDir);
    await client.query(`ALTER DATABASE "${half}" RENAME TO "${template}"`);
  });
  return template;
}
