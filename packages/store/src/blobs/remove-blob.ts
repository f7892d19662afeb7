import type { BlobId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** The part of Blob Storage that retention needs. */
export interface BlobBytes {
  delete(id: string): Promise<boolean>;
}

/**
 * Deletes a readable blob at its owner's wish: it is unreadable at once, then its bytes go, then its row. What is
 * interrupted between is finished by {@link deleteUnsettledBlobs}. `in_use`: an order of the client that has not ended
 * names it, or a schedule.
 */
export async function removeBlob(store: Store, bytes: BlobBytes, id: BlobId): Promise<'removed' | 'in_use' | 'gone'> {
  const { rows } = await store.pool.query<{ used: boolean; marked: boolean }>({
    name: 'remove_blob',
    text: `WITH used AS (
             SELECT EXISTS (
               SELECT FROM orders o JOIN blobs b ON b.owner_client_id = o.client_id
               WHERE b.id = $1 AND o.state IN ('accepted', 'active')
                 AND (strpos(concat(o.input::text, o.params::text, o.context::text), $1::text) > 0 OR EXISTS (
                   SELECT FROM jobs j WHERE j.order_id = o.id
                     AND strpos(concat(j.input::text, j.result::text, j.context::text), $1::text) > 0))
             ) OR EXISTS (SELECT FROM schedules s WHERE strpos(s."order"::text, $1::text) > 0) AS used),
           marked AS (
             UPDATE blobs SET state = 'deleting' WHERE id = $1 AND state = 'ready' AND NOT (SELECT used FROM used)
             RETURNING id)
           SELECT used, EXISTS (SELECT FROM marked) AS marked FROM used`,
    values: [id],
  });
  if (rows[0]?.used) return 'in_use';
  if (!rows[0]?.marked) return 'gone';
  await eraseBlob(store, bytes, id);
  return 'removed';
}

/** Removes the bytes of a blob that is `deleting`, then its row: in this order, so that no bytes are left unknown. */
export async function eraseBlob(store: Store, bytes: BlobBytes, id: BlobId): Promise<void> {
  await bytes.delete(id);
  await store.pool.query({
    name: 'erase_blob',
    text: `DELETE FROM blobs WHERE id = $1 AND state = 'deleting'`,
    values: [id],
  });
}
