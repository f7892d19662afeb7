import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { Problem } from '@connecta/contracts';
import { MAX_BLOCKS, resumeHash, startHash, uploadProblem, type Blobs, type RunningHash } from '@connecta/blobs';
import {
  UploadLockLostError,
  advanceUpload,
  discardBlob,
  finishUpload,
  type LockedUpload,
  type Store,
} from '@connecta/store';
import type { TusChecksum } from './tus-headers.ts';
import { LOCK_MS } from './upload-lock.ts';

/** What uploads need. */
export interface UploadParts {
  store: Store;
  blobs: Blobs;
  maxBlobBytes: number;
  /** How long an upload may rest before it is given up, in milliseconds. */
  uploadTtlMs: number;
}

const HASH_SLICE_BYTES = 256 * 1024;

/**
 * Takes bytes behind an upload's offset and returns the new one. Each staged block moves the offset at once, so a body
 * that breaks off loses nothing; with a checksum the offset moves only when the whole body fits it. The bytes that
 * complete the upload make it a readable blob.
 *
 * @throws Problem checksum_mismatch, too_large, gone, conflict (the lock was lost), unavailable; what the source throws.
 */
export async function appendBytes(
  parts: UploadParts,
  upload: LockedUpload,
  body: { source: AsyncIterable<Uint8Array>; checksum: TusChecksum | null },
): Promise<number> {
  const hash = await hashAt(parts, upload);
  const progress = new Progress(parts, upload, hash);
  const digest = body.checksum && createHash(body.checksum.algorithm);
  try {
    await parts.blobs.stage(body.source, {
      id: upload.id,
      ownsChunks: true,
      maxBytes: (upload.length ?? parts.maxBlobBytes) - upload.offset,
      onStaged: async ({ blockId, bytes }) => {
        digest?.update(bytes);
        await progress.add(blockId, bytes);
        if (!digest) await progress.save();
      },
    });
    if (body.checksum && digest && !digest.digest().equals(body.checksum.digest)) {
      throw new Problem('checksum_mismatch', 'The body does not have the Upload-Checksum; none of it was kept.');
    }
    await progress.save();
  } catch (error) {
    throw writeProblem(error);
  }
  const { offset } = progress;
  if (offset === upload.length) await finish(parts, upload, { hash, blockIds: progress.blockIds });
  return offset;
}

/** Makes an upload whose bytes are all there a readable blob: also where the process that took the last ones died. */
export async function finishWhole(parts: UploadParts, upload: LockedUpload): Promise<void> {
  await finish(parts, upload, { hash: await hashAt(parts, upload), blockIds: upload.blocks });
}

/** Gives an upload up: it is unknown from now on, and its bytes are freed. */
export async function giveUp(parts: UploadParts, upload: LockedUpload): Promise<void> {
  await discardBlob(parts.store, upload.id);
  // Blocks that nobody commits are freed by storage itself after a week.
  await parts.blobs.discardBlocks(upload.id).catch(() => undefined);
}

async function finish(
  parts: UploadParts,
  upload: LockedUpload,
  whole: { hash: RunningHash; blockIds: readonly string[] },
): Promise<void> {
  const sha256 = whole.hash.digest();
  if (upload.checksum !== null && upload.checksum !== sha256) {
    await giveUp(parts, upload);
    const detail = `The SHA-256 of the bytes is ${sha256}, announced was ${upload.checksum}; the upload is discarded.`;
    throw new Problem('checksum_mismatch', detail);
  }
  const { id, mediaType, length } = upload;
  try {
    await parts.blobs.commitBlocks({ id, mediaType, sha256, size: length ?? 0, blockIds: whole.blockIds });
    await finishUpload(parts.store, { id, token: upload.lockToken, sha256 });
  } catch (error) {
    throw writeProblem(error);
  }
}

async function hashAt(parts: UploadParts, upload: LockedUpload): Promise<RunningHash> {
  const hash = upload.offset === 0 ? await startHash() : upload.hashState && (await resumeHash(upload.hashState));
  if (hash) return hash;
  // Begun under another version of the hash library, in the middle of an update of ours: the client begins again.
  await giveUp(parts, upload);
  throw new Problem('gone', 'The upload cannot go on; begin a new one.');
}

function writeProblem(error: unknown): unknown {
  if (error instanceof UploadLockLostError) {
    return new Problem('conflict', 'Another request has taken this upload over.', { cause: error });
  }
  return uploadProblem(error) ?? error;
}

/** How far one request has brought an upload. */
class Progress {
  offset: number;
  readonly blockIds: string[];
  readonly #parts: UploadParts;
  readonly #upload: LockedUpload;
  readonly #hash: RunningHash;
  #unsavedBytes = 0;
  #unsavedBlocks: string[] = [];

  constructor(parts: UploadParts, upload: LockedUpload, hash: RunningHash) {
    this.#parts = parts;
    this.#upload = upload;
    this.#hash = hash;
    this.offset = upload.offset;
    this.blockIds = [...upload.blocks];
  }

  async add(blockId: string, bytes: Buffer): Promise<void> {
    if (this.blockIds.length === MAX_BLOCKS) {
      throw new Problem('too_large', `The upload came in more than ${MAX_BLOCKS} pieces; send larger ones.`);
    }
    for (let at = 0; at < bytes.length; at += HASH_SLICE_BYTES) {
      this.#hash.update(bytes.subarray(at, at + HASH_SLICE_BYTES));
      // 10 ms of hashing a block in one go would hold up every other request.
      await setImmediate();
    }
    this.blockIds.push(blockId);
    this.#unsavedBlocks.push(blockId);
    this.#unsavedBytes += bytes.length;
  }

  async save(): Promise<void> {
    if (this.#unsavedBytes === 0) return;
    await advanceUpload(this.#parts.store, {
      id: this.#upload.id,
      token: this.#upload.lockToken,
      fromOffset: this.offset,
      bytes: this.#unsavedBytes,
      blockIds: this.#unsavedBlocks,
      hashState: this.#hash.state(),
      leaseMs: LOCK_MS,
      ttlMs: this.#parts.uploadTtlMs,
    });
    this.offset += this.#unsavedBytes;
    this.#unsavedBytes = 0;
    this.#unsavedBlocks = [];
  }
}
