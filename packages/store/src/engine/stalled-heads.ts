import type { JobId, OrderId } from '@connecta/contracts';
import type { ItemCounts } from '@connecta/domain';
import type { Store } from '../store.ts';
import type { Batch } from './batch.ts';

/** Heads that wait for items although none of theirs is under way: candidates for numbers that are not true. */
export async function findStalledHeads(store: Store, limit: number): Promise<{ jobId: JobId; orderId: OrderId }[]> {
  const { rows } = await store.pool.query<{ jobId: JobId; orderId: OrderId }>({
    name: 'find_stalled_heads',
    text: `SELECT h.id AS "jobId", h.order_id AS "orderId" FROM jobs h JOIN orders o ON o.id = h.order_id
       WHERE h.state = 'waiting' AND h.kind = 'head' AND h.work IS NULL AND h.items_total IS NOT NULL AND o.state = 'active'
         AND NOT EXISTS (SELECT FROM jobs i WHERE i.order_id = h.order_id AND i.step = h.step AND i.item > 0
           AND i.state IN ('pending', 'invoked', 'queued', 'started', 'waiting'))
       LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** The items of a head, counted by their rows; `pending`: those that returned what their list does not have yet. */
export interface CountedItems extends Omit<ItemCounts, 'total'> {
  id: JobId;
  open: number;
  pending: number;
}

/** Counts the items of heads. Their orders must be locked. */
export function countItemsOf(batch: Batch, heads: readonly JobId[]): Promise<CountedItems[]> {
  return batch.run(
    'count_items_of',
    `SELECT h.id, count(i.id)::int AS created, count(*) FILTER (WHERE i.new_items IS NOT NULL)::int AS pending,
       count(*) FILTER (WHERE i.state IN ('completed', 'error', 'skipped'))::int AS done,
       count(*) FILTER (WHERE i.state = 'error')::int AS failed,
       count(*) FILTER (WHERE i.state NOT IN ('completed', 'error', 'skipped'))::int AS open
     FROM jobs h LEFT JOIN jobs i ON i.order_id = h.order_id AND i.step = h.step AND i.item > 0
     WHERE h.id = ANY($1::uuid[]) GROUP BY h.id`,
    [heads],
  );
}
