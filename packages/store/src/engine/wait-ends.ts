import type { JobId, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** A waiting job that something was found out about. */
export interface FoundWait {
  jobId: JobId;
  orderId: OrderId;
}

/** Waits that were answered, and waits whose time has come. */
export async function findWaitEnds(store: Store, limit: number): Promise<FoundWait[]> {
  const { rows } = await store.pool.query<FoundWait>({
    name: 'find_wait_ends',
    text: `SELECT id AS "jobId", order_id AS "orderId" FROM jobs
       WHERE state = 'waiting' AND due_at IS NOT NULL AND due_at <= now()
     UNION SELECT id, order_id FROM jobs WHERE work IS NOT NULL AND work = 'answer' AND state = 'waiting' LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** Waiting jobs whose own order has ended. */
export async function findChildEnds(store: Store, limit: number): Promise<FoundWait[]> {
  const { rows } = await store.pool.query<FoundWait>({
    name: 'find_child_ends',
    text: `SELECT j.id AS "jobId", j.order_id AS "orderId" FROM jobs j
       WHERE j.state = 'waiting' AND j.kind = 'order'
         AND EXISTS (SELECT FROM orders o WHERE o.parent_job_id = j.id)
         AND NOT EXISTS (SELECT FROM orders o WHERE o.parent_job_id = j.id AND o.state IN ('accepted', 'active'))
       LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** Orders under way although the job that they were for is cancelled: whoever cancelled it did not get that far. */
export async function findOrphans(store: Store, limit: number): Promise<OrderId[]> {
  const { rows } = await store.pool.query<{ id: OrderId }>({
    name: 'find_orphans',
    text: `SELECT o.id FROM orders o WHERE o.parent_job_id IS NOT NULL AND o.state IN ('accepted', 'active')
       AND EXISTS (SELECT FROM jobs j WHERE j.id = o.parent_job_id AND j.state = 'cancelled') LIMIT $1`,
    values: [limit],
  });
  return rows.map((row) => row.id);
}

/** The orders of jobs. */
export async function findJobOrders(store: Store, jobIds: readonly JobId[]): Promise<FoundWait[]> {
  const { rows } = await store.pool.query<FoundWait>({
    name: 'find_job_orders',
    text: 'SELECT id AS "jobId", order_id AS "orderId" FROM jobs WHERE id = ANY($1::uuid[])',
    values: [jobIds],
  });
  return rows;
}
