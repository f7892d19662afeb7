import { isId, type ClientId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** The client with this id or name; null when there is none. */
export async function findClientId(store: Store, idOrName: string): Promise<ClientId | null> {
  const { rows } = await store.pool.query<{ id: ClientId }>({
    name: 'find_client_id',
    text: 'SELECT id FROM clients WHERE id = $1 OR name = $2 ORDER BY id = $1 DESC NULLS LAST LIMIT 1',
    values: [isId(idOrName) ? idOrName : null, idOrName],
  });
  return rows[0]?.id ?? null;
}
