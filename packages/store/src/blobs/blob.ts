import type { BlobId, BlobRef, ClientId, JobId } from '@connecta/contracts';

/** `uploading`: bytes are coming in; `ready`: readable; `deleting`: its bytes are being removed, then its row. */
export type BlobState = 'uploading' | 'ready' | 'deleting';

/** What is known of a blob; `size` and `sha256` are final once it is `ready`. */
export interface Blob {
  id: BlobId;
  ownerClientId: ClientId | null;
  jobId: JobId | null;
  createdBy: string;
  state: BlobState;
  mediaType: string;
  size: number;
  sha256: string | null;
  fileName: string | null;
  createdAt: Date;
  expiresAt: Date | null;
}

/** Thrown when a write about a blob finds it gone or in another state than the write is for. */
export class BlobMovedOnError extends Error {
  override readonly name = 'BlobMovedOnError';
  readonly blobId: BlobId;

  constructor(blobId: BlobId) {
    super(`blob ${blobId} is gone or in another state`);
    this.blobId = blobId;
  }
}

const NAMED_BY_SCHEDULE = `EXISTS (SELECT FROM schedules s WHERE strpos(s."order"::text, b.id::text) > 0)`;

/** A condition on `blobs b`: its time is not over. While a schedule names it, it never is. */
export const BLOB_LASTS = `(b.expires_at IS NULL OR b.expires_at > now() OR ${NAMED_BY_SCHEDULE})`;

/** Columns of `blobs b` as a {@link Blob}; sizes stay below 2^53. A time that is over and does not count is none. */
export const BLOB_COLUMNS = `b.id, b.owner_client_id AS "ownerClientId", b.job_id AS "jobId", b.created_by AS "createdBy",
  b.state, b.media_type AS "mediaType", b.size::float8 AS size, b.sha256, b.file_name AS "fileName",
  b.created_at AS "createdAt",
  CASE WHEN b.expires_at > now() OR NOT ${NAMED_BY_SCHEDULE} THEN b.expires_at END AS "expiresAt"`;

/** The reference by which a ready blob travels. @throws BlobMovedOnError when it is not ready. */
export function blobRefOf(blob: Blob): BlobRef {
  if (blob.state !== 'ready' || blob.sha256 === null) throw new BlobMovedOnError(blob.id);
  return { blobId: blob.id, mediaType: blob.mediaType, size: blob.size, sha256: blob.sha256 };
}
