import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DataDirInUseError } from '../owner-lock.ts';
import { dropDatabase, withClient } from '../postgres/databases.ts';
import { startEmbedded } from '../start-embedded.ts';
import type { Embedded, GivenEnvironment } from '../start-embedded.ts';

/** The databases that tests make are named so, and removed by the next start when a test run was killed. */
export const testDatabasePrefix = 't_';

const slots = 16;
const repository = join(import.meta.dirname, '../../../..');

/**
 * Starts services for tests, in the first folder below `.connecta/tests` that no other run holds: runs side by side do
 * not disturb each other, a later run finds the cluster made, and ends the servers that a killed run left behind.
 */
export async function startTestStack(given: GivenEnvironment): Promise<Embedded> {
  const root = join(repository, '.connecta', 'tests');
  mkdirSync(root, { recursive: true, mode: 0o711 });
  for (let slot = 0; slot < slots; slot += 1) {
    const stack = await startInSlot(join(root, String(slot)), given);
    if (!stack) continue;
    await dropTestDatabases(stack);
    return stack;
  }
  throw new Error(`${slots} test runs are under way in ${root}`);
}

async function startInSlot(dataDir: string, given: GivenEnvironment): Promise<Embedded | undefined> {
  try {
    return await startEmbedded({ dataDir, env: given, empty: true });
  } catch (error) {
    if (error instanceof DataDirInUseError) return undefined;
    throw error;
  }
}

async function dropTestDatabases({ env, services }: Embedded): Promise<void> {
  if (!services.postgres) return;
  const url = env['DATABASE_URL'] ?? '';
  const { rows } = await withClient(url, (client) =>
    client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [
      testDatabasePrefix,
    ]),
  );
  for (const { datname } of rows) await dropDatabase(url, datname);
}

/** A name that no other test uses: `t_<what>_<random>`, within Postgres' 63 bytes. */
export function uniqueTestName(what: string): string {
  const plain = what
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .slice(0, 40);
  return `${testDatabasePrefix}${plain}_${randomBytes(5).toString('hex')}`;
}
