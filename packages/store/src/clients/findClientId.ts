import type { ClientId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** The client of this name; null when there is none. */
export async function findClientId(store: Store, name: string): Promise<ClientId | null> {
  const { rows } = await store.pool.query<{ id: ClientId }>({
    name: 'find_client_id',
    text: 'SELECT id FROM clients WHERE name = $1',
    values: [name],
  });
  return rows[0]?.id ?? null;
}
