import { isId, type BlobId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { BLOB_LASTS } from './blob.ts';
import { eraseBlob, type BlobBytes } from './remove-blob.ts';

/** What the whole of Blob Storage's names can be read from. */
export interface BlobNames extends BlobBytes {
  list(options: { from?: string | undefined; limit: number }): Promise<{
    items: { id: string; modifiedAt: Date }[];
    next?: string | undefined;
  }>;
  discardBlocks(id: string): Promise<void>;
}

/** An order accepted in the very second in which its blob expires must still find it. */
const GRACE = `interval '1 hour'`;

/**
 * Deletes up to `limit` blobs that have expired. A blob stays while its client has an order that has not ended and that
 * was placed before the blob expired, for only such an order can lead to it, however deep in values and JSON blobs: this
 * keeps some longer than needed and never has to search values. What a schedule names stays as well. Several replicas may
 * sweep at once.
 */
export async function deleteExpiredBlobs(store: Store, bytes: BlobBytes, limit: number): Promise<number> {
  const { rows } = await store.pool.query<{ id: BlobId }>({
    name: 'mark_expired_blobs',
    text: `WITH held AS (
             SELECT client_id, min(created_at) AS since FROM orders WHERE state IN ('accepted', 'active')
             GROUP BY client_id),
           expired AS (
             SELECT b.id FROM blobs b LEFT JOIN held h ON h.client_id = b.owner_client_id
             WHERE b.state = 'ready' AND b.expires_at < now() AND NOT ${BLOB_LASTS}
               AND (h.since IS NULL OR h.since > b.expires_at + ${GRACE})
             ORDER BY b.expires_at LIMIT $1 FOR UPDATE OF b SKIP LOCKED)
           UPDATE blobs SET state = 'deleting' FROM expired WHERE blobs.id = expired.id RETURNING blobs.id`,
    values: [limit],
  });
  for (const { id } of rows) await eraseBlob(store, bytes, id);
  return rows.length;
}

/**
 * Deletes what was left half-way: uploads that expired, bodies that stopped coming more than `olderThanMs` ago with
 * their process, deletions that were interrupted.
 */
export async function deleteUnsettledBlobs(
  store: Store,
  bytes: BlobNames,
  options: { limit: number; olderThanMs: number },
): Promise<number> {
  const { rows } = await store.pool.query<{ id: BlobId; state: 'uploading' | 'deleting' }>({
    name: 'mark_unsettled_blobs',
    text: `WITH unsettled AS (
             SELECT b.id, b.state FROM blobs b LEFT JOIN uploads u ON u.blob_id = b.id
             WHERE b.state <> 'ready'
               AND CASE WHEN u.blob_id IS NULL THEN b.created_at < now() - $2 * interval '1 millisecond'
                        ELSE u.expires_at < now() AND coalesce(u.locked_until, '-infinity') < now() END
             ORDER BY b.created_at LIMIT $1 FOR UPDATE OF b SKIP LOCKED),
           upload AS (DELETE FROM uploads USING unsettled WHERE blob_id = unsettled.id)
           UPDATE blobs SET state = 'deleting' FROM unsettled WHERE blobs.id = unsettled.id
           RETURNING blobs.id, unsettled.state`,
    values: [options.limit, options.olderThanMs],
  });
  for (const { id, state } of rows) {
    if (state === 'uploading') await bytes.discardBlocks(id);
    await eraseBlob(store, bytes, id);
  }
  return rows.length;
}

/** Forgets what is left of uploads that were finished a while ago. */
export async function forgetFinishedUploads(store: Store, limit: number): Promise<number> {
  const { rowCount } = await store.pool.query({
    name: 'forget_finished_uploads',
    text: `DELETE FROM uploads WHERE blob_id IN (
             SELECT u.blob_id FROM uploads u JOIN blobs b ON b.id = u.blob_id
             WHERE u.expires_at < now() AND b.state = 'ready' LIMIT $1)`,
    values: [limit],
  });
  return rowCount ?? 0;
}

/**
 * Looks through one page of the names in Blob Storage and deletes bytes that no row knows and that are older than
 * `olderThanMs` (a row is always written before its bytes). Returns where the next page begins; undefined at the end.
 */
export async function deleteOrphanBytes(
  store: Store,
  bytes: BlobNames,
  options: { from?: string | undefined; limit: number; olderThanMs: number },
): Promise<{ deleted: number; next: string | undefined }> {
  const page = await bytes.list({ from: options.from, limit: options.limit });
  const before = Date.now() - options.olderThanMs;
  // A name that is no id was not written by us.
  const old = page.items.filter(({ id, modifiedAt }) => isId(id) && modifiedAt.getTime() < before).map(({ id }) => id);
  const { rows } = await store.pool.query<{ id: string }>({
    name: 'find_known_blobs',
    text: 'SELECT b.id FROM blobs b WHERE b.id = ANY($1::uuid[])',
    values: [old],
  });
  const known = new Set(rows.map(({ id }) => id));
  const orphans = old.filter((id) => !known.has(id));
  for (const id of orphans) await bytes.delete(id);
  return { deleted: orphans.length, next: page.next };
}
