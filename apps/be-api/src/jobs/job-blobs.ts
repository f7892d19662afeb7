import { createHash } from 'node:crypto';
import { Problem, blobRefsIn, type BlobId } from '@connecta/contracts';
import type { AnnouncedBytes } from '@connecta/blobs';
import { refuseTooLarge, storeBytes, type BlobIntake } from '@connecta/intake';
import { BlobMovedOnError, findBlob, findOrdersAbove, insertBlob, type Blob } from '@connecta/store';
import type { HeldJob } from './held-job.ts';
import type { JsonReferences } from './json-references.ts';

/**
 * A blob that the holder of a job may read: what the job was given refers to it (directly or through JSON blobs), or it
 * was made under the job, by whatever attempt, or in a child order of it. It must belong to the client of the order.
 *
 * @throws Problem not_found
 */
export async function readableBlob(
  parts: BlobIntake & { references: JsonReferences },
  job: HeldJob,
  blobId: BlobId,
): Promise<Blob> {
  const blob = await ownBlob(parts, job, blobId);
  if (blob && (await isReachable(parts, job, blob))) return blob;
  throw new Problem('not_found', 'The job has no such blob.');
}

async function ownBlob(parts: BlobIntake, job: HeldJob, id: BlobId): Promise<Blob | null> {
  const blob = await findBlob(parts.store, id);
  return blob?.state === 'ready' && blob.ownerClientId === job.clientId ? blob : null;
}

async function isReachable(
  parts: BlobIntake & { references: JsonReferences },
  job: HeldJob,
  blob: Blob,
): Promise<boolean> {
  if (blob.jobId === job.id) return true;
  const given = blobRefsIn(job.given);
  if (given.some((ref) => ref.blobId === blob.id)) return true;
  if (blob.jobId !== null) {
    const above = await findOrdersAbove(parts.store, blob.jobId);
    if (above.some(({ parentJobId }) => parentJobId === job.id)) return true;
  }
  return parts.references.leadTo(blob.id, given, async (ref) => (await ownBlob(parts, job, ref.blobId)) !== null);
}

/**
 * Stores what a job made under an id that its worker chose. The same bytes again are the same blob.
 *
 * @throws Problem conflict (the id stands for other bytes), and as `storeBytes`
 */
export async function writeJobBlob(
  parts: BlobIntake,
  job: HeldJob,
  made: {
    id: BlobId;
    createdBy: string;
    mediaType: string;
    fileName: string | undefined;
    expect: AnnouncedBytes;
    source: AsyncIterable<Uint8Array>;
  },
): Promise<{ blob: Blob; repeated: boolean }> {
  const { source, ...blob } = made;
  refuseTooLarge(parts, blob.expect.size);
  const inserted = await insertBlob(parts.store, { ...blob, ownerClientId: job.clientId, jobId: job.id });
  const there = inserted ? null : await findBlob(parts.store, blob.id);
  if (there && (there.jobId !== job.id || there.state === 'deleting')) throw taken();
  if (there?.state === 'ready') return { blob: await sameBlob(there, source), repeated: true };
  // A row that is `uploading` already is what an attempt that died left behind, or a twin of this request.
  try {
    return { blob: await storeBytes(parts, source, blob), repeated: false };
  } catch (error) {
    if (!(error instanceof BlobMovedOnError)) throw error;
    const twin = await findBlob(parts.store, blob.id);
    if (twin?.state === 'ready') return { blob: twin, repeated: true };
    throw new Problem('unavailable', 'The blob was being stored twice; send it again.', { cause: error });
  }
}

async function sameBlob(there: Blob, source: AsyncIterable<Uint8Array>): Promise<Blob> {
  const hash = createHash('sha256');
  for await (const chunk of source) hash.update(chunk);
  if (hash.digest('hex') !== there.sha256) throw taken();
  return there;
}

function taken(): Problem {
  return new Problem('conflict', 'Other bytes are stored under this id.');
}
