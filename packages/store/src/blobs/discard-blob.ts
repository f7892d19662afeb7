import type { BlobId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** Forgets a blob whose bytes did not come. False when it is gone or readable by now. */
export async function discardBlob(store: Store, id: BlobId): Promise<boolean> {
  const { rowCount } = await store.pool.query({
    name: 'discard_blob',
    text: `WITH upload AS (DELETE FROM uploads WHERE blob_id = $1)
           DELETE FROM blobs WHERE id = $1 AND state = 'uploading'`,
    values: [id],
  });
  return rowCount === 1;
}
