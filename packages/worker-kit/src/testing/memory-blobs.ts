import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId, type BlobId, type BlobRef } from '@connecta/contracts';
import type { JobBlobs, NewBlob } from '../function/function.ts';

/** A job's blobs in memory, for trying a function without a system around it. */
export class MemoryBlobs implements JobBlobs {
  readonly #bytes = new Map<string, Buffer>();

  async open(ref: BlobRef): Promise<Readable> {
    return Readable.from([await this.read(ref)], { objectMode: false });
  }

  async create(blob: NewBlob, source: Readable | Uint8Array): Promise<BlobRef> {
    const bytes = source instanceof Uint8Array ? Buffer.from(source) : await buffer(source);
    const blobId = newId<BlobId>();
    this.#bytes.set(blobId, bytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { blobId, mediaType: blob.mediaType, size: bytes.length, sha256 };
  }

  /** The whole of a blob. @throws Error when there is none of this id. */
  read(ref: { blobId: string }): Promise<Buffer> {
    const bytes = this.#bytes.get(ref.blobId);
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error(`no blob ${ref.blobId}`));
  }
}
