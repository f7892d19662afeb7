import { newId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** Makes a client of this name exist, without a contract; run again it changes nothing. */
export async function assertClient(store: Store, name: string): Promise<void> {
  await store.pool.query('INSERT INTO clients (id, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING', [
    newId(),
    name,
  ]);
}
