import type { BlobId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { BLOB_COLUMNS, type Blob } from './blob.ts';

/** Sets when a readable blob expires (null: never). Null when it is gone or on its way out. */
export async function extendBlob(store: Store, blob: { id: BlobId; expiresAt: Date | null }): Promise<Blob | null> {
  const { rows } = await store.pool.query<Blob>({
    name: 'extend_blob',
    text: `UPDATE blobs b SET expires_at = $2 WHERE b.id = $1 AND b.state = 'ready' RETURNING ${BLOB_COLUMNS}`,
    values: [blob.id, blob.expiresAt],
  });
  return rows[0] ?? null;
}
