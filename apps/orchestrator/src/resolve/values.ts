import {
  INLINE_VALUE_BYTES,
  isDeeperThan,
  type BlobRef,
  type ClientId,
  type JobId,
  type JsonValue,
} from '@connecta/contracts';
import { BlobNotFoundError, BytesMismatchError, type Blobs } from '@connecta/blobs';
import { storeValue } from '@connecta/intake';
import { blobRefOf, findBlob, type Store } from '@connecta/store';
import { isLargeJson } from '../engine/steps/needed.ts';
import { isTooLarge } from '../engine/steps/prepare-step.ts';

/** The most bytes of JSON that expressions look into. */
const MAX_READ_BYTES = 32 * 1024 * 1024;
const MAX_KEPT_BYTES = 64 * 1024 * 1024;

/** A value that cannot be read: trying again does not help. */
export class UnreadableValueError extends Error {
  override readonly name = 'UnreadableValueError';
}

/**
 * Values that are too large to travel inline, read from blobs and written to blobs. Blobs never change: what was read is
 * kept, the oldest makes room, so that the list of ten thousand items is parsed once and not for each handful of them.
 */
export class Values {
  readonly #store: Store;
  readonly #openBlobs: () => Promise<Blobs>;
  readonly #kept = new Map<string, { value: JsonValue; bytes: number }>();
  #keptBytes = 0;
  #blobs: Promise<Blobs> | undefined;

  constructor(store: Store, openBlobs: () => Promise<Blobs>) {
    this.#store = store;
    this.#openBlobs = openBlobs;
  }

  /**
   * The content of JSON in a blob of the client; any other value as it is. A reference may come from anywhere (an answer,
   * an expression, a worker), so what it says is compared with what is known of the blob.
   *
   * @throws UnreadableValueError, and what storage throws that is away.
   */
  async contentOf(value: JsonValue, clientId: ClientId): Promise<JsonValue> {
    if (!isLargeJson(value)) return value;
    const blob = await findBlob(this.#store, value.blobId);
    if (blob?.state !== 'ready' || blob.ownerClientId !== clientId || !isSameJson(blobRefOf(blob), value)) {
      throw new UnreadableValueError(`there is no blob ${value.blobId} with this JSON`);
    }
    const kept = this.#kept.get(value.blobId);
    if (kept) return kept.value;
    const content = await this.#read(value);
    this.#keep(value.blobId, content, value.size);
    return content;
  }

  /** The value, or the reference to a blob of the client that holds it. */
  async stored(value: JsonValue, owner: { clientId: ClientId; jobId: JobId; createdBy: string }): Promise<JsonValue> {
    if (!isTooLarge(value)) return value;
    const ref = await storeValue(
      { store: this.#store, blobs: await this.#open(), maxBlobBytes: MAX_READ_BYTES * 4 },
      { value, ...owner },
    );
    if (isLargeJson(ref)) this.#keep(ref.blobId, value, ref.size);
    return ref;
  }

  async #read(ref: BlobRef): Promise<JsonValue> {
    if (ref.size > MAX_READ_BYTES) {
      throw new UnreadableValueError(
        `${ref.size} bytes of JSON are more than the ${MAX_READ_BYTES} that are looked into`,
      );
    }
    const bytes = await this.#bytesOf(ref);
    try {
      const content = JSON.parse(bytes.toString('utf8')) as JsonValue;
      if (!isDeeperThan(content)) return content;
    } catch {
      throw new UnreadableValueError(`blob ${ref.blobId} is no JSON`);
    }
    throw new UnreadableValueError(`the JSON in blob ${ref.blobId} nests too deeply`);
  }

  async #bytesOf(ref: BlobRef): Promise<Buffer> {
    const chunks: Buffer[] = [];
    try {
      const source = await (await this.#open()).get(ref.blobId, { expect: { size: ref.size, sha256: ref.sha256 } });
      for await (const chunk of source) chunks.push(chunk as Buffer);
    } catch (error) {
      const isLost = error instanceof BlobNotFoundError || error instanceof BytesMismatchError;
      throw isLost ? new UnreadableValueError(`the bytes of blob ${ref.blobId} are lost or damaged`) : error;
    }
    return Buffer.concat(chunks);
  }

  #open(): Promise<Blobs> {
    this.#blobs ??= this.#openBlobs();
    this.#blobs.catch(() => (this.#blobs = undefined));
    return this.#blobs;
  }

  #keep(id: string, value: JsonValue, bytes: number): void {
    if (bytes <= INLINE_VALUE_BYTES || bytes > MAX_KEPT_BYTES / 2) return;
    this.#kept.set(id, { value, bytes });
    this.#keptBytes += bytes;
    for (const [oldest, kept] of this.#kept) {
      if (this.#keptBytes <= MAX_KEPT_BYTES) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= kept.bytes;
    }
  }
}

/** The media type is the blob's own word: which parameters a reference repeats does not matter. */
function isSameJson(known: BlobRef, told: BlobRef): boolean {
  return isLargeJson(known) && known.size === told.size && known.sha256 === told.sha256;
}
