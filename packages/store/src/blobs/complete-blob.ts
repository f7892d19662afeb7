import type { BlobId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { BLOB_COLUMNS, BlobMovedOnError, type Blob } from './blob.ts';

/** Makes a blob readable, its bytes being stored. @throws BlobMovedOnError when it is not `uploading` any more. */
export async function completeBlob(store: Store, blob: { id: BlobId; size: number; sha256: string }): Promise<Blob> {
  const { rows } = await store.pool.query<Blob>({
    name: 'complete_blob',
    text: `UPDATE blobs b SET state = 'ready', size = $2, sha256 = $3
           WHERE b.id = $1 AND b.state = 'uploading' RETURNING ${BLOB_COLUMNS}`,
    values: [blob.id, blob.size, blob.sha256],
  });
  const [completed] = rows;
  if (!completed) throw new BlobMovedOnError(blob.id);
  return completed;
}
