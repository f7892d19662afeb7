import type { BlobId, ClientId, JobId } from '@connecta/contracts';
import type { Store } from '../store.ts';

export interface NewBlob {
  id: BlobId;
  /** The client that the blob belongs to; its retention says when the blob expires. */
  ownerClientId: ClientId;
  jobId?: JobId | undefined;
  /** Who sends the bytes, as in orders. */
  createdBy: string;
  mediaType: string;
  fileName?: string | undefined;
}

/** Announces a blob whose bytes are about to come. False when the id is taken (or the client is gone). */
export async function insertBlob(store: Store, blob: NewBlob): Promise<boolean> {
  const { rowCount } = await store.pool.query({
    name: 'insert_blob',
    text: `INSERT INTO blobs (id, owner_client_id, job_id, created_by, state, media_type, size, file_name, expires_at)
           SELECT $1, c.id, $3, $4, 'uploading', $5, 0, $6, now() + c.retention_days * interval '1 day'
           FROM clients c WHERE c.id = $2 ON CONFLICT (id) DO NOTHING`,
    values: [blob.id, blob.ownerClientId, blob.jobId, blob.createdBy, blob.mediaType, blob.fileName],
  });
  return rowCount === 1;
}
