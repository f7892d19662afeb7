import type { Store } from '../store.ts';

/** Stands in `allowedClients` for every client. */
export const ANY_CLIENT = '*';

/** Whose key it is that came with a request to be-api. */
export interface ServiceAccount {
  id: string;
  name: string;
  /** The one type that it may speak for. */
  workerType: string;
  /** Names of the clients that it may place orders and store blobs for; `*` stands for all. */
  allowedClients: string[];
  /** Whether its orders may name files of legacy shares. */
  mayNameFiles: boolean;
}

/** The account with a key of this hash that is not revoked; null when there is none. Notes its use, once a minute. */
export async function findServiceAccount(store: Store, hash: string): Promise<ServiceAccount | null> {
  const { rows } = await store.pool.query<ServiceAccount & { idle: boolean }>({
    name: 'find_service_account',
    text: `SELECT id, name, worker_type AS "workerType", allowed_clients AS "allowedClients",
             may_name_files AS "mayNameFiles", coalesce(last_used_at < now() - interval '1 minute', true) AS idle
           FROM service_accounts WHERE hash = $1 AND revoked_at IS NULL`,
    values: [hash],
  });
  const [row] = rows;
  if (!row) return null;
  const { idle, ...account } = row;
  if (idle) {
    await store.pool.query({
      name: 'touch_service_account',
      text: 'UPDATE service_accounts SET last_used_at = now() WHERE id = $1',
      values: [account.id],
    });
  }
  return account;
}
