import type { JobId, JobState, NewItems, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import type { Batch } from './batch.ts';

/** What an item returned that its list does not have yet. */
export interface ReturnedItems {
  id: JobId;
  item: number;
  attempt: number;
  newItems: NewItems;
}

/** What items of a step returned, in the order of the items; as much as one transaction takes. */
export async function findReturnedItems(
  store: Store,
  { orderId, step, limit }: { orderId: OrderId; step: string; limit: number },
): Promise<ReturnedItems[]> {
  const { rows } = await store.pool.query<ReturnedItems>({
    name: 'find_returned_items',
    text: `SELECT id, item, attempt, new_items AS "newItems" FROM jobs
       WHERE order_id = $1 AND step = $2 AND new_items IS NOT NULL ORDER BY item LIMIT $3`,
    values: [orderId, step, limit],
  });
  return rows;
}

/** Which items of a step have returned something that its list does not have yet. The order must be locked. */
export function findPendingReturns(
  batch: Batch,
  orderId: OrderId,
  step: string,
): Promise<Pick<ReturnedItems, 'id' | 'attempt'>[]> {
  return batch.run(
    'find_pending_returns',
    'SELECT id, attempt FROM jobs WHERE order_id = $1 AND step = $2 AND new_items IS NOT NULL',
    [orderId, step],
  );
}

/** Forgets what lists have taken in. The jobs' orders must be locked. */
export function forgetReturnedItems(batch: Batch, ids: readonly JobId[]): Promise<unknown> {
  return batch.run('forget_returned_items', 'UPDATE jobs SET new_items = NULL WHERE id = ANY($1::uuid[])', [ids]);
}

/** An item that has ended, with how long the list was that it was computed with; 0 where nobody noted it. */
export interface EndedItem {
  id: JobId;
  item: number;
  attempt: number;
  state: JobState;
  seen: number;
}

/** Items of a step that have ended and were computed with a shorter list, in the order of the items, page by page. */
export async function findEarlierItems(
  store: Store,
  page: { orderId: OrderId; step: string; total: number; after: number; limit: number },
): Promise<EndedItem[]> {
  const { rows } = await store.pool.query<EndedItem>({
    name: 'find_earlier_items',
    text: `SELECT id, item, attempt, state, coalesce(items_seen, 0) AS seen FROM jobs
       WHERE order_id = $1 AND step = $2 AND item > $4 AND state IN ('completed', 'error', 'skipped')
         AND coalesce(items_seen, 0) < $3 ORDER BY item LIMIT $5`,
    values: [page.orderId, page.step, page.total, page.after, page.limit],
  });
  return rows;
}
