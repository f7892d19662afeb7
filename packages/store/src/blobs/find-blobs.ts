import type { BlobId, ClientId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { BLOB_COLUMNS, BLOB_LASTS, type Blob } from './blob.ts';

/** One blob, in whatever state; null when there is none. */
export async function findBlob(store: Store, id: BlobId): Promise<Blob | null> {
  const { rows } = await store.pool.query<Blob>({
    name: 'find_blob',
    text: `SELECT ${BLOB_COLUMNS} FROM blobs b WHERE b.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/**
 * Those of the ids that are readable blobs of this client and not expired: what an order may refer to. An id that is
 * missing in the answer does not exist, as far as this client is told.
 */
export async function findOwnedBlobs(
  store: Store,
  wanted: { clientId: ClientId; ids: readonly BlobId[] },
): Promise<Map<BlobId, Blob>> {
  if (wanted.ids.length === 0) return new Map();
  const { rows } = await store.pool.query<Blob>({
    name: 'find_owned_blobs',
    text: `SELECT ${BLOB_COLUMNS} FROM blobs b
           WHERE b.id = ANY($1::uuid[]) AND b.owner_client_id = $2 AND b.state = 'ready'
             AND ${BLOB_LASTS}`,
    values: [wanted.ids, wanted.clientId],
  });
  return new Map(rows.map((blob) => [blob.id, blob]));
}
