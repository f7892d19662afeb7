import type { BlockBlobClient } from '@azure/storage-blob';
import { newBlockId, type BlockPool } from '../block-pool.ts';
import type { StageOptions } from '../blobs.ts';
import { BlobTooLargeError } from '../errors.ts';
import { BlockWriter } from './block-writer.ts';
import { stageBlock } from './put-stream.ts';

/** Stages a stream and tells every block in order; a source that breaks off loses nothing that had arrived. */
export async function stageStream(
  source: AsyncIterable<Uint8Array>,
  to: { client: BlockBlobClient; pool: BlockPool; options: StageOptions },
): Promise<void> {
  let told: Promise<void> = Promise.resolve();
  const stage = async (bytes: Buffer): Promise<void> => {
    const blockId = newBlockId();
    const before = told;
    const staged = stageBlock(to.client, blockId, bytes);
    told = (async () => {
      await Promise.all([before, staged]);
      await to.options.onStaged({ blockId, bytes });
    })();
    await told;
  };
  const writer = new BlockWriter({ pool: to.pool, stage, ownsChunks: to.options.ownsChunks ?? false });
  try {
    await writeAll(source, writer, to.options.maxBytes);
  } catch (error) {
    // Bytes that arrived before the source broke are kept: that is what makes the upload resumable.
    await writer.finish().catch(() => undefined);
    throw error;
  } finally {
    await writer.release();
  }
}

async function writeAll(source: AsyncIterable<Uint8Array>, writer: BlockWriter, maxBytes: number): Promise<void> {
  let size = 0;
  for await (const chunk of source) {
    size += chunk.length;
    if (size > maxBytes) throw new BlobTooLargeError(maxBytes);
    await writer.write(chunk);
  }
  await writer.finish();
}
