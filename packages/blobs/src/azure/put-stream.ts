import { createHash } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import { MAX_BLOCKS, newBlockId, type BlockPool } from '../block-pool.ts';
import type { PutOptions, StoredBytes, AnnouncedBytes } from '../blobs.ts';
import { BlobTooLargeError, BytesMismatchError } from '../errors.ts';
import { BlockWriter } from './block-writer.ts';
import { named } from './storage-errors.ts';

/** Up to here bytes are gathered as they come and stored with one request; most results of workers are this small. */
const SMALL_BYTES = 256 * 1024;

const STAGE_TIMEOUT_MS = 60_000;

/** What {@link receive} read; small content itself, all else was staged. */
export interface Received extends StoredBytes {
  content?: Buffer;
}

/** Stages one block. */
export async function stageBlock(client: BlockBlobClient, blockId: string, bytes: Uint8Array): Promise<void> {
  try {
    await client.stageBlock(blockId, bytes, bytes.byteLength, { abortSignal: AbortSignal.timeout(STAGE_TIMEOUT_MS) });
  } catch (error) {
    throw named(error, 'staging a block');
  }
}

/** Takes a stream in: counted, hashed, compared with what was announced, staged as `blockIds` where it is large. */
export async function receive(
  source: AsyncIterable<Uint8Array>,
  to: { client: BlockBlobClient; pool: BlockPool; options: PutOptions; blockIds: string[] },
): Promise<Received> {
  const hash = createHash('sha256');
  const small: Uint8Array[] = [];
  const maxBytes = to.options.maxBytes ?? Infinity;
  let size = 0;
  const writer = new BlockWriter(to.pool, (block) => {
    const blockId = newBlockId();
    to.blockIds.push(blockId);
    if (to.blockIds.length > MAX_BLOCKS) throw new BlobTooLargeError(size);
    return stageBlock(to.client, blockId, block);
  });
  try {
    for await (const chunk of source) {
      size += chunk.length;
      if (size > maxBytes) throw new BlobTooLargeError(maxBytes);
      hash.update(chunk);
      small.push(chunk);
      if (size > SMALL_BYTES) for (const part of small.splice(0)) await writer.write(part);
    }
    const stored = compared({ size, sha256: hash.digest('hex') }, to.options.expect);
    if (size <= SMALL_BYTES) return { ...stored, content: Buffer.concat(small) };
    await writer.finish();
    return stored;
  } catch (error) {
    await writer.abandon();
    throw error;
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
