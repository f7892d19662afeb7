import type { ClientId, OrderId, OrderState } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** What must be known of an order before anybody is told more. */
export interface OrderHead {
  id: OrderId;
  clientId: ClientId;
  state: OrderState;
  /** The number of its events. */
  version: number;
}

/** Whose order it is and how far it is; null when there is none. */
export async function findOrderHead(store: Store, id: OrderId): Promise<OrderHead | null> {
  const { rows } = await store.pool.query<OrderHead>({
    name: 'find_order_head',
    text: 'SELECT id, client_id AS "clientId", state, version FROM orders WHERE id = $1',
    values: [id],
  });
  return rows[0] ?? null;
}
