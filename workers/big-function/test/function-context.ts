import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { newId, type BlobRef, type JobId } from '@connecta/contracts';
import type { FunctionContext } from '@connecta/worker-kit';

/** Blobs of one test, in memory; outlives attempts as Blob Storage does. */
export class TestBlobs {
  readonly bytes = new Map<string, Buffer>();

  async open(ref: BlobRef): Promise<Readable> {
    const bytes = this.bytes.get(ref.blobId);
    if (!bytes) throw new Error('no such blob');
    return Readable.from([bytes]);
  }

  async create({ mediaType }: { mediaType: string }, source: Readable | Uint8Array): Promise<BlobRef> {
    const bytes = source instanceof Readable ? await buffer(source) : Buffer.from(source);
    const ref: BlobRef = {
      blobId: newId(),
      mediaType,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
    this.bytes.set(ref.blobId, bytes);
    return ref;
  }

  async read(ref: BlobRef): Promise<Buffer> {
    return buffer(await this.open(ref));
  }
}

/** An attempt as the function sees it; everything it told is in `told`. */
export interface TestAttempt {
  context: FunctionContext<never>;
  abort(): void;
  told: { fraction: number; checkpoint?: BlobRef | undefined }[];
}

export function testAttempt(options: {
  blobs: TestBlobs;
  input: BlobRef;
  settings: object;
  context?: BlobRef | undefined;
  onProgress?: (told: TestAttempt['told'][number], attempt: TestAttempt) => void;
}): TestAttempt {
  const abort = new AbortController();
  const nothing = (): void => undefined;
  const attempt: TestAttempt = {
    told: [],
    abort: () => abort.abort(new Error('the job was aborted')),
    context: {
      settings: options.settings as never,
      input: options.input,
      params: {},
      signal: abort.signal,
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      job: {
        jobId: newId<JobId>(),
        attempt: 1,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
      blobs: options.blobs,
      ...(options.context ? { context: options.context } : {}),
      progress: async (fraction, checkpoint) => {
        const told = { fraction, checkpoint };
        attempt.told.push(told);
        options.onProgress?.(told, attempt);
      },
      placeOrder: () => Promise.reject(new Error('no orders are placed here')),
    },
  };
  return attempt;
}
