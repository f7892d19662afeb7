import type pg from 'pg';
import type { Store } from '../store.ts';
import { newerProfiles, type KnownProfile } from './newer-profiles.ts';
import type { ToldProfile } from './registration.ts';
import { inTransaction, lockWorkerType } from './transaction.ts';

/** How many told profiles changed the read copy, and how many it knew already. */
export interface ProfilesWritten {
  written: number;
  passedOver: number;
}

/** Thrown when profiles are told of a type that has never registered. */
export class UnknownWorkerTypeError extends Error {
  override readonly name = 'UnknownWorkerTypeError';
  readonly workerType: string;

  constructor(workerType: string) {
    super(`no worker of the type ${workerType} has registered`);
    this.workerType = workerType;
  }
}

/**
 * Writes told profiles of one type into the read copy; an older revision never overwrites a newer one. Live names must
 * be unique among the told ones.
 *
 * @throws UnknownWorkerTypeError
 */
export function upsertProfiles(
  store: Store,
  workerType: string,
  profiles: readonly ToldProfile[],
): Promise<ProfilesWritten> {
  return inTransaction(store, async (client) => {
    await lockWorkerType(client, workerType);
    const { rowCount } = await client.query('SELECT FROM worker_types WHERE name = $1', [workerType]);
    if (rowCount === 0) throw new UnknownWorkerTypeError(workerType);
    return writeProfiles(client, workerType, profiles);
  });
}

/** The same inside a transaction that holds the type's lock. */
export async function writeProfiles(
  client: pg.ClientBase,
  workerType: string,
  profiles: readonly ToldProfile[],
): Promise<ProfilesWritten> {
  const { rows: known } = await client.query<KnownProfile>({
    name: 'find_known_profiles',
    text: `SELECT id, revision, deleted_at IS NOT NULL AS deleted FROM profiles
           WHERE worker_type = $1 AND id = ANY($2::uuid[])`,
    values: [workerType, profiles.map((profile) => profile.id)],
  });
  const news = newerProfiles(profiles, known);
  if (news.length > 0) {
    const live = news.filter((profile) => !profile.deleted);
    // Two profiles may have swapped names, and whoever holds a told name otherwise was renamed or deleted since (or is
    // an alias, which yields to a profile): all of them let go of their names before any takes one.
    await client.query({
      name: 'release_profile_names',
      text: `UPDATE profiles SET deleted_at = now() WHERE worker_type = $1 AND deleted_at IS NULL
             AND (id = ANY($2::uuid[]) OR name = ANY($3::text[]))`,
      values: [workerType, news.map((profile) => profile.id), live.map((profile) => profile.name)],
    });
    await client.query({
      name: 'upsert_profiles',
      text: `INSERT INTO profiles (worker_type, id, name, function, revision, schema_hash, alias_of, updated_at, deleted_at)
             SELECT $1, t.id, t.name, t.function, t.revision, coalesce(t."schemaHash",
                 (SELECT p.schema_hash FROM profiles p WHERE p.worker_type = $1 AND p.function = t.function
                  AND p.schema_hash <> '' ORDER BY p.updated_at DESC LIMIT 1), ''), NULL, now(),
               CASE WHEN t.deleted THEN now() END
             FROM json_to_recordset($2::json)
               t(id uuid, name text, function text, revision int, "schemaHash" text, deleted boolean)
             ON CONFLICT (worker_type, id) DO UPDATE SET name = excluded.name, function = excluded.function,
               revision = excluded.revision, schema_hash = excluded.schema_hash, updated_at = excluded.updated_at,
               deleted_at = excluded.deleted_at`,
      values: [workerType, JSON.stringify(news)],
    });
  }
  return { written: news.length, passedOver: profiles.length - news.length };
}
