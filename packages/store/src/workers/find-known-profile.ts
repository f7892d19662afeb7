import type { ProfileId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import type { ToldProfile } from './registration.ts';

/** What the read copy knows of a live profile; null when nothing. */
export async function findKnownProfile(store: Store, workerType: string, id: ProfileId): Promise<ToldProfile | null> {
  const { rows } = await store.pool.query<ToldProfile>({
    name: 'find_known_profile',
    text: `SELECT id, name, function, revision FROM profiles
           WHERE worker_type = $1 AND id = $2 AND deleted_at IS NULL`,
    values: [workerType, id],
  });
  return rows[0] ?? null;
}
