import { buffer } from 'node:stream/consumers';
import { blobRefsIn, type BlobRef } from '@connecta/contracts';
import { downloadProblem, type Blobs } from '@connecta/blobs';
import { parseSafeJson } from '@connecta/runtime';

/** Larger JSON is data to a worker, not a value that refers to blobs: 8 MiB hold some 45,000 references. */
const MAX_JSON_BYTES = 8 * 1024 * 1024;
const MAX_JSON_BLOBS = 32;
const MAX_KEPT_REFERENCES = 200_000;

/**
 * The blobs that JSON blobs refer to: a value over 8 KiB travels as one, and what it refers to belongs to it. Blobs never
 * change, so what was read is kept, the least recently used let go first.
 */
export class JsonReferences {
  readonly #blobs: Blobs;
  readonly #kept = new Map<string, readonly BlobRef[]>();
  #keptCount = 0;

  constructor(blobs: Blobs) {
    this.#blobs = blobs;
  }

  /**
   * True when one of the references leads to the blob through JSON blobs. Only what `mayRead` allows is read: a client
   * can write any id into JSON.
   */
  async leadTo(
    blobId: string,
    from: readonly BlobRef[],
    mayRead: (ref: BlobRef) => Promise<boolean>,
  ): Promise<boolean> {
    const waiting = from.filter(isJson);
    const seen = new Set<string>();
    for (let ref = waiting.shift(); ref && seen.size < MAX_JSON_BLOBS; ref = waiting.shift()) {
      if (seen.has(ref.blobId)) continue;
      seen.add(ref.blobId);
      if (!(await mayRead(ref))) continue;
      const inside = await this.#read(ref);
      if (inside.some((one) => one.blobId === blobId)) return true;
      waiting.push(...inside.filter(isJson));
    }
    return false;
  }

  async #read(ref: BlobRef): Promise<readonly BlobRef[]> {
    const kept = this.#kept.get(ref.blobId);
    if (kept) {
      this.#kept.delete(ref.blobId);
      this.#kept.set(ref.blobId, kept);
      return kept;
    }
    const found = await this.#parse(ref);
    this.#keep(ref.blobId, found);
    return found;
  }

  async #parse(ref: BlobRef): Promise<readonly BlobRef[]> {
    let bytes: Buffer;
    try {
      bytes = await buffer(await this.#blobs.get(ref.blobId, { expect: ref }));
    } catch (error) {
      throw downloadProblem(error) ?? error;
    }
    try {
      return blobRefsIn(parseSafeJson(bytes));
    } catch {
      // Whatever its sender called it: it is no value, so it refers to nothing.
      return [];
    }
  }

  #keep(blobId: string, found: readonly BlobRef[]): void {
    this.#kept.set(blobId, found);
    this.#keptCount += found.length + 1;
    for (const [oldest, refs] of this.#kept) {
      if (this.#keptCount <= MAX_KEPT_REFERENCES) return;
      this.#kept.delete(oldest);
      this.#keptCount -= refs.length + 1;
    }
  }
}

function isJson(ref: BlobRef): boolean {
  const [mediaType = ''] = ref.mediaType.split(';');
  return ref.size <= MAX_JSON_BYTES && /^application\/(?:[\w.+-]+\+)?json$/i.test(mediaType.trim());
}
