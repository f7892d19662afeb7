import { createHash } from 'node:crypto';
import { Problem, newId, type BlobId, type ClientId, type JobId } from '@connecta/contracts';
import { uploadProblem, type Blobs, type AnnouncedBytes } from '@connecta/blobs';
import {
  completeBlob,
  discardBlob,
  findBlob,
  insertBlob,
  rememberBlob,
  removeBlob,
  type Blob,
  type Store,
} from '@connecta/store';

/** What storing a blob needs. */
export interface BlobIntake {
  store: Store;
  blobs: Blobs;
  /** The most bytes of one blob. */
  maxBlobBytes: number;
}

export interface IncomingBlob {
  clientId: ClientId;
  jobId?: JobId | undefined;
  /** Who sends the bytes, as in orders. */
  createdBy: string;
  mediaType: string;
  fileName?: string | undefined;
  /** What the sender announced. */
  expect?: AnnouncedBytes | undefined;
}

/**
 * Stores a stream as a new blob of a client: its row first, then its bytes, then the row is made readable. Whatever
 * breaks in between leaves nothing that can be read, and what it leaves is swept. The source's chunks are freed as they
 * are read: nobody else may use them.
 *
 * @throws Problem too_large, bad_request (other length than announced), checksum_mismatch, unavailable; and whatever
 *   the source throws.
 */
export async function receiveBlob(
  intake: BlobIntake,
  source: AsyncIterable<Uint8Array>,
  incoming: IncomingBlob,
): Promise<Blob> {
  refuseTooLarge(intake, incoming.expect?.size);
  const { clientId, ...blob } = incoming;
  const id = newId<BlobId>();
  if (!(await insertBlob(intake.store, { ...blob, id, ownerClientId: clientId }))) {
    throw new Problem('not_found', 'The client is gone.');
  }
  return storeBytes(intake, source, { id, mediaType: blob.mediaType, expect: blob.expect });
}

/**
 * Stores a stream as a new blob, once: a repeat under the same key brings the blob that the first request made. Whether
 * it is a repeat shows in the bytes, so they are read either way.
 *
 * @throws as {@link receiveBlob}, and Problem idempotency_mismatch when the key stands for other bytes.
 */
export async function receiveBlobOnce(
  intake: BlobIntake,
  source: AsyncIterable<Uint8Array>,
  incoming: IncomingBlob & { idempotencyKey: string | undefined },
): Promise<{ blob: Blob; repeated: boolean }> {
  const { idempotencyKey: key, ...rest } = incoming;
  const blob = await receiveBlob(intake, source, rest);
  if (key === undefined) return { blob, repeated: false };
  const bodyHash = createHash('sha256')
    .update(JSON.stringify([blob.mediaType, blob.fileName, blob.sha256]))
    .digest('hex');
  const scope = `blobs:${rest.clientId}`;
  const first = await rememberBlob(intake.store, { scope, key, bodyHash, blobId: blob.id });
  if (first.blobId === blob.id) return { blob, repeated: false };
  await removeBlob(intake.store, intake.blobs, blob.id);
  if (first.bodyHash !== bodyHash) {
    throw new Problem('idempotency_mismatch', 'The Idempotency-Key was used with other bytes.');
  }
  const earlier = await findBlob(intake.store, first.blobId);
  if (earlier?.state !== 'ready') throw new Problem('gone', 'The blob of this Idempotency-Key is deleted.');
  return { blob: earlier, repeated: true };
}

/**
 * Stores the bytes of a blob whose row is `uploading` and makes it readable; when that fails the row is gone.
 *
 * @throws as {@link receiveBlob}, and Problem conflict when other bytes are stored under the id.
 */
export async function storeBytes(
  intake: BlobIntake,
  source: AsyncIterable<Uint8Array>,
  blob: { id: BlobId; mediaType: string; expect?: AnnouncedBytes | undefined },
): Promise<Blob> {
  const stored = await intake.blobs
    .put(source, { ...blob, maxBytes: intake.maxBlobBytes, ownsChunks: true })
    .catch(async (error: unknown) => {
      // When the database is away too the row stays, and the sweep takes it.
      await discardBlob(intake.store, blob.id).catch(() => undefined);
      throw uploadProblem(error) ?? error;
    });
  return completeBlob(intake.store, { id: blob.id, ...stored });
}

/** Refuses an announced size before a byte of it is read. @throws Problem too_large */
export function refuseTooLarge(intake: Pick<BlobIntake, 'maxBlobBytes'>, sizeBytes: number | undefined): void {
  if (sizeBytes !== undefined && sizeBytes > intake.maxBlobBytes) {
    throw new Problem('too_large', `A blob may have at most ${intake.maxBlobBytes} bytes.`);
  }
}
