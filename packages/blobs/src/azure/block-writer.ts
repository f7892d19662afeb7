import { BLOCK_BYTES, type BlockPool } from '../block-pool.ts';
import { freeChunk } from '../free-chunk.ts';

// With the block that is being filled: 12 MiB an upload. More in flight did not make it faster.
const MAX_IN_FLIGHT = 2;
/** Most bodies are small: until one is not, it does without a block of the pool. */
const HEAD_BYTES = 64 * 1024;

export interface BlockWriterOptions {
  pool: BlockPool;
  stage: (block: Buffer) => Promise<void>;
  /** Frees each chunk once its bytes are copied. */
  ownsChunks: boolean;
}

/**
 * Cuts a stream into blocks and hands each to `stage`, a few at a time.
 *
 * States: filling the head → filling a block → (full) staging it while the next one fills → finished or abandoned.
 */
export class BlockWriter {
  readonly #options: BlockWriterOptions;
  readonly #inFlight: Promise<void>[] = [];
  #head: Buffer | undefined;
  #block: Buffer | undefined;
  #filled = 0;

  constructor(options: BlockWriterOptions) {
    this.#options = options;
  }

  /** Takes bytes; waits while too much is in flight. Throws what staging an earlier block threw. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const into = this.#roomFor(bytes.length - at);
      const part = bytes.subarray(at, at + into.length - this.#filled);
      into.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BLOCK_BYTES) await this.#flush();
    }
    if (this.#options.ownsChunks) freeChunk(bytes);
  }

  /** What was written, as long as nothing of it was staged: content that fits one request. */
  get unstaged(): Buffer {
    return (this.#block ?? this.#head ?? Buffer.alloc(0)).subarray(0, this.#filled);
  }

  /** Stages what is left, as a smaller block, and waits for all of them. */
  async finish(): Promise<void> {
    if (this.#filled > 0) await this.#flush();
    await Promise.all(this.#inFlight);
  }

  /** Lets go of what is not staged, once nothing is in flight; never throws. */
  async release(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    if (this.#block) this.#options.pool.give(this.#block);
    this.#block = undefined;
    this.#head = undefined;
    this.#filled = 0;
  }

  #roomFor(bytes: number): Buffer {
    if (this.#block) return this.#block;
    if (this.#filled + bytes <= HEAD_BYTES) return (this.#head ??= Buffer.allocUnsafeSlow(HEAD_BYTES));
    this.#block = this.#options.pool.take();
    if (this.#head) this.#head.copy(this.#block, 0, 0, this.#filled);
    this.#head = undefined;
    return this.#block;
  }

  async #flush(): Promise<void> {
    const staged = this.#block ? this.#stageAndGiveBack(this.#block, this.#filled) : this.#options.stage(this.unstaged);
    this.#block = undefined;
    this.#head = undefined;
    this.#filled = 0;
    // Awaited later: until then a failure must not count as unhandled.
    staged.catch(() => undefined);
    this.#inFlight.push(staged);
    while (this.#inFlight.length >= (this.#options.pool.hasRoom() ? MAX_IN_FLIGHT + 1 : 1)) {
      // Only taken out once it settled: whoever releases the writer waits for what is in flight.
      const [oldest] = this.#inFlight;
      await oldest;
      void this.#inFlight.shift();
    }
  }

  async #stageAndGiveBack(block: Buffer, length: number): Promise<void> {
    try {
      await this.#options.stage(block.subarray(0, length));
    } catch (error) {
      // A request that failed may still be reading it.
      this.#options.pool.drop();
      throw error;
    }
    this.#options.pool.give(block);
  }
}
