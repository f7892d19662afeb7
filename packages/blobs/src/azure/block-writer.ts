import { BLOCK_BYTES, type BlockPool } from '../block-pool.ts';

// With the block that is being filled: 12 MiB an upload. More in flight did not make it faster.
const MAX_IN_FLIGHT = 2;

/**
 * Cuts a stream into blocks and hands each to `stage`, a few at a time.
 *
 * States: filling a block → (full) staging it while the next one fills → finished or abandoned.
 */
export class BlockWriter {
  readonly #pool: BlockPool;
  readonly #stage: (block: Buffer) => Promise<void>;
  readonly #inFlight: Promise<void>[] = [];
  #buffer: Buffer | undefined;
  #filled = 0;

  constructor(pool: BlockPool, stage: (block: Buffer) => Promise<void>) {
    this.#pool = pool;
    this.#stage = stage;
  }

  /** Takes bytes; waits while too much is in flight. Throws what staging an earlier block threw. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      this.#buffer ??= this.#pool.take();
      const part = bytes.subarray(at, at + BLOCK_BYTES - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === BLOCK_BYTES) await this.#flush();
    }
  }

  /** Stages what is left, as a smaller block, and waits for all of them. */
  async finish(): Promise<void> {
    if (this.#buffer) await this.#flush();
    await Promise.all(this.#inFlight);
  }

  /** Lets go of the block being filled once nothing is in flight; never throws. */
  async abandon(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
    if (this.#buffer) this.#pool.give(this.#buffer);
    this.#buffer = undefined;
  }

  async #flush(): Promise<void> {
    const buffer = this.#buffer;
    if (!buffer) return;
    this.#buffer = undefined;
    const staged = this.#stageAndGiveBack(buffer, this.#filled);
    this.#filled = 0;
    // Awaited later: until then a failure must not count as unhandled.
    staged.catch(() => undefined);
    this.#inFlight.push(staged);
    while (this.#inFlight.length >= (this.#pool.hasRoom() ? MAX_IN_FLIGHT + 1 : 1)) {
      // Only taken out once it settled: whoever abandons the writer waits for what is in flight.
      const [oldest] = this.#inFlight;
      await oldest;
      void this.#inFlight.shift();
    }
  }

  async #stageAndGiveBack(buffer: Buffer, length: number): Promise<void> {
    try {
      await this.#stage(buffer.subarray(0, length));
    } catch (error) {
      this.#pool.drop();
      throw error;
    }
    this.#pool.give(buffer);
  }
}
