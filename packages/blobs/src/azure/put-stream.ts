import { createHash } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import { MAX_BLOCKS, newBlockId, type BlockPool } from '../block-pool.ts';
import type { PutOptions, StoredBytes, AnnouncedBytes } from '../blobs.ts';
import { BlobTooLargeError, BytesMismatchError } from '../errors.ts';
import { BlockWriter } from './block-writer.ts';
import { named } from './storage-errors.ts';

const STAGE_TIMEOUT_MS = 60_000;

/** Stages one block. */
export async function stageBlock(client: BlockBlobClient, blockId: string, bytes: Uint8Array): Promise<void> {
  try {
    await client.stageBlock(blockId, bytes, bytes.byteLength, { abortSignal: AbortSignal.timeout(STAGE_TIMEOUT_MS) });
  } catch (error) {
    throw named(error, 'staging a block');
  }
}

/** Where a stream goes: what fills no whole block to `upload`, all else to staged blocks that `commit` makes a blob of. */
export interface PutTarget {
  client: BlockBlobClient;
  pool: BlockPool;
  /** The blocks staged so far: what is left to discard when the source breaks. */
  blockIds: string[];
  upload(content: Buffer, stored: StoredBytes): Promise<void>;
  commit(stored: StoredBytes): Promise<void>;
}

/** Stores a stream: counted, hashed, and compared with what was announced before it can be read. */
export async function putStream(
  source: AsyncIterable<Uint8Array>,
  options: PutOptions,
  to: PutTarget,
): Promise<StoredBytes> {
  const hash = createHash('sha256');
  const maxBytes = options.maxBytes ?? Infinity;
  let size = 0;
  const writer = new BlockWriter({
    pool: to.pool,
    ownsChunks: options.ownsChunks ?? false,
    stage: (block) => {
      const blockId = newBlockId();
      to.blockIds.push(blockId);
      return stageBlock(to.client, blockId, block);
    },
  });
  try {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes || to.blockIds.length === MAX_BLOCKS) throw new BlobTooLargeError(Math.min(maxBytes, size));
      hash.update(chunk);
      await writer.write(chunk);
    }
    const stored = compared({ size, sha256: hash.digest('hex') }, options.expect);
    if (to.blockIds.length === 0) {
      await to.upload(writer.unstaged, stored);
    } else {
      await writer.finish();
      await to.commit(stored);
    }
    return stored;
  } finally {
    await writer.release();
  }
}

function compared(actual: StoredBytes, expect: AnnouncedBytes = {}): StoredBytes {
  if (expect.size !== undefined && expect.size !== actual.size) {
    throw new BytesMismatchError('size', expect.size, actual.size);
  }
  if (expect.sha256 !== undefined && expect.sha256 !== actual.sha256) {
    throw new BytesMismatchError('sha256', expect.sha256, actual.sha256);
  }
  return actual;
}
