import type { JobId, OrderId, OrderState } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** Active orders that have had no open, pending or waiting job for a while: candidates for a step that was forgotten. */
export async function findStalledOrders(store: Store, limit: number): Promise<OrderId[]> {
  const { rows } = await store.pool.query<{ id: OrderId }>({
    name: 'find_stalled_orders',
    text: `SELECT o.id FROM orders o WHERE o.state = 'active' AND o.created_at < now() - interval '10 seconds'
       AND NOT EXISTS (SELECT FROM jobs j WHERE j.order_id = o.id
         AND j.state IN ('pending', 'invoked', 'queued', 'started', 'waiting'))
     LIMIT $1`,
    values: [limit],
  });
  return rows.map((row) => row.id);
}

/** The attempts that cancelling orders took away: what may still lie in the queues. */
export async function findCancelledAttempts(
  store: Store,
  orderIds: readonly OrderId[],
): Promise<{ jobId: JobId; attempt: number; workerType: string }[]> {
  const { rows } = await store.pool.query<{ jobId: JobId; attempt: number; workerType: string }>({
    name: 'find_cancelled_attempts',
    text: `SELECT id AS "jobId", attempt, worker_type AS "workerType" FROM jobs
     WHERE order_id = ANY($1::uuid[]) AND state = 'cancelled'`,
    values: [orderIds],
  });
  return rows;
}

/** An order's state; null for an unknown id. */
export async function findOrderState(store: Store, orderId: OrderId): Promise<OrderState | null> {
  const { rows } = await store.pool.query<{ state: OrderState }>({
    name: 'find_order_state',
    text: 'SELECT state FROM orders WHERE id = $1',
    values: [orderId],
  });
  return rows[0]?.state ?? null;
}
