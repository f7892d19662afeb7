import { BlobServiceClient, type BlockBlobClient, type ContainerClient } from '@azure/storage-blob';
import type { Readable } from 'node:stream';
import { BlockPool } from '../block-pool.ts';
import type { BlobPage, Blobs, CommitOptions, GetOptions, PutOptions, StoredBytes } from '../blobs.ts';
import { BlobExistsError, BlobNotFoundError, StagedBlocksLostError } from '../errors.ts';
import { YoungGarbage } from '../young-garbage.ts';
import { putStream } from './put-stream.ts';
import { readStream } from './read-stream.ts';
import { stageStream } from './stage-stream.ts';
import { isAnswer, named } from './storage-errors.ts';

export interface BlobsOptions {
  connectionString: string;
  /** Made when it is not there. */
  container: string;
}

// An answer is waited for in a request of somebody's: four tries within about three seconds, then it is a 503.
const RETRIES = { maxTries: 4, retryDelayInMs: 200, maxRetryDelayInMs: 2000 };
const CALL_TIMEOUT_MS = 60_000;

/**
 * Blob Storage as {@link Blobs}; makes sure of the container first.
 *
 * @throws StorageUnavailableError when storage does not answer, Error for a malformed connection string.
 */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  const service = BlobServiceClient.fromConnectionString(options.connectionString, { retryOptions: RETRIES });
  const blobs = new AzureBlobs(service.getContainerClient(options.container));
  await blobs.check();
  return blobs;
}

class AzureBlobs implements Blobs {
  readonly #container: ContainerClient;
  readonly #pool = new BlockPool({ maxIdle: 4, maxShared: 8 });
  readonly #garbage = new YoungGarbage();

  constructor(container: ContainerClient) {
    this.#container = container;
  }

  async check(): Promise<void> {
    await answered('opening the container', async (abortSignal) => {
      await this.#container.createIfNotExists({ abortSignal });
    });
  }

  async put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredBytes> {
    const { id, mediaType } = options;
    const client = this.#client(id);
    const blockIds: string[] = [];
    const upload = (content: Buffer, stored: StoredBytes): Promise<void> =>
      this.#writeOnce(client, { id, ...stored }, async (abortSignal) => {
        await client.upload(content, stored.size, { ...head(mediaType, stored.sha256), abortSignal });
      });
    const commit = (stored: StoredBytes): Promise<void> => this.commitBlocks({ id, mediaType, blockIds, ...stored });
    try {
      return await putStream(source, options, { client, pool: this.#pool, blockIds, upload, commit });
    } catch (error) {
      // Staged blocks of a stream that broke would lie there for a week; where that fails too, they do.
      if (blockIds.length > 0) await this.discardBlocks(id).catch(() => undefined);
      throw error;
    }
  }

  async stage(...[source, options]: Parameters<Blobs['stage']>): Promise<void> {
    await stageStream(source, { client: this.#client(options.id), pool: this.#pool, options });
  }

  async commitBlocks(options: CommitOptions): Promise<void> {
    const client = this.#client(options.id);
    await this.#writeOnce(client, options, async (abortSignal) => {
      const how = { ...head(options.mediaType, options.sha256), abortSignal };
      await client.commitBlockList([...options.blockIds], how).catch((error: unknown) => {
        if (isAnswer(error, 400, 'InvalidBlockList')) throw new StagedBlocksLostError(options.id, { cause: error });
        throw error;
      });
    });
  }

  async discardBlocks(id: string): Promise<void> {
    const client = this.#client(id);
    await answered('discarding blocks', async (abortSignal) => {
      // Storage has no call for this; a blob made of none of them, deleted at once, frees them now and not in a week.
      const made = await client.commitBlockList([], { conditions: { ifNoneMatch: '*' }, abortSignal }).then(
        () => true,
        (error: unknown) => {
          if (isAnswer(error, 409, 'BlobAlreadyExists')) return false;
          throw error;
        },
      );
      if (made) await client.deleteIfExists({ abortSignal });
    });
  }

  async get(id: string, options: GetOptions): Promise<Readable> {
    const client = this.#client(id);
    const { range, expect } = options;
    const start = range?.start ?? 0;
    const length = range?.length ?? expect.size;
    // Storage refuses a range of an empty blob: it is read without one.
    const count = length === 0 ? undefined : length;
    const abort = new AbortController();
    const answer = await answered('reading a blob', () =>
      client.download(start, count, { abortSignal: abort.signal, maxRetryRequests: 0 }).catch((error: unknown) => {
        if (isAnswer(error, 404)) throw new BlobNotFoundError(id, { cause: error });
        throw error;
      }),
    );
    const first = { body: answer.readableStreamBody as Readable, etag: answer.etag, abort };
    return readStream({
      garbage: this.#garbage,
      client,
      start,
      length: count,
      expect: range ? { size: range.length } : expect,
      first,
    });
  }

  async delete(id: string): Promise<boolean> {
    return answered('deleting a blob', async (abortSignal) => {
      const answer = await this.#client(id).deleteIfExists({ deleteSnapshots: 'include', abortSignal });
      return answer.succeeded;
    });
  }

  async exists(id: string): Promise<boolean> {
    return answered('looking for a blob', (abortSignal) => this.#client(id).exists({ abortSignal }));
  }

  async list({ from, limit }: { from?: string | undefined; limit: number }): Promise<BlobPage> {
    return answered('listing blobs', async (abortSignal) => {
      const place = { maxPageSize: limit, ...(from === undefined ? {} : { continuationToken: from }) };
      for await (const page of this.#container.listBlobsFlat({ abortSignal }).byPage(place)) {
        const items = page.segment.blobItems;
        return {
          items: items.map(({ name, properties }) => ({ id: name, modifiedAt: properties.lastModified })),
          next: page.continuationToken || undefined,
        };
      }
      return { items: [] };
    });
  }

  #client(id: string): BlockBlobClient {
    return this.#container.getBlockBlobClient(id);
  }

  /** Writes where nothing is yet. The same bytes under the id count as written: a try whose answer got lost, a repeat. */
  async #writeOnce(
    client: BlockBlobClient,
    bytes: StoredBytes & { id: string },
    write: (abortSignal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    await answered('storing a blob', async (abortSignal) => {
      await write(abortSignal).catch(async (error: unknown) => {
        if (!isAnswer(error, 409, 'BlobAlreadyExists')) throw error;
        const there = await client.getProperties({ abortSignal });
        const same = there.contentLength === bytes.size && there.metadata?.['sha256'] === bytes.sha256;
        if (!same) throw new BlobExistsError(bytes.id, { cause: error });
      });
    });
  }
}

const head = (blobContentType: string, sha256: string) => ({
  blobHTTPHeaders: { blobContentType },
  metadata: { sha256 },
  conditions: { ifNoneMatch: '*' },
});

async function answered<T>(what: string, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await call(AbortSignal.timeout(CALL_TIMEOUT_MS));
  } catch (error) {
    throw named(error, what);
  }
}
