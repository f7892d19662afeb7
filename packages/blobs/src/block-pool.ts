import { randomBytes } from 'node:crypto';

/** The largest block: a 5 GiB blob is 1,280 of them, where storage allows 50,000. */
export const BLOCK_BYTES = 4 * 1024 * 1024;

/** The most blocks that one blob may have (a limit of Azure Blob Storage). */
export const MAX_BLOCKS = 50_000;

/** A new block id: all ids of one blob must have the same length, and a second writer must not hit the first one's. */
export function newBlockId(): string {
  return randomBytes(15).toString('base64');
}

/**
 * Buffers of one block each, used again and again: bytes outside V8's heap are freed late, and a gigabyte of fresh
 * buffers made a process grow by hundreds of megabytes.
 */
export class BlockPool {
  readonly #idle: Buffer[] = [];
  readonly #maxIdle: number;
  readonly #maxShared: number;
  #taken = 0;

  /** Keeps `maxIdle` buffers; beyond `maxShared` taken ones nobody gets a second. */
  constructor(options: { maxIdle: number; maxShared: number }) {
    this.#maxIdle = options.maxIdle;
    this.#maxShared = options.maxShared;
  }

  /** A buffer that its caller cannot do without. */
  take(): Buffer {
    this.#taken += 1;
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  /** True while an upload may hold more than one buffer: many uploads at once go block by block. */
  hasRoom(): boolean {
    return this.#taken < this.#maxShared;
  }

  /** Gives a buffer back that nothing reads any more. */
  give(buffer: Buffer): void {
    this.#taken -= 1;
    if (this.#idle.length < this.#maxIdle) this.#idle.push(buffer);
  }

  /** Forgets a buffer that a failed request may still be reading. */
  drop(): void {
    this.#taken -= 1;
  }
}
