import type { Logger } from '../logging/logger.ts';

type Close = () => void | Promise<void>;

/**
 * What must be closed when the work ends, last opened first. States: open → closing → closed. Whoever opens registers
 * the closer right away. `close` may be called any number of times and crosswise: all calls share one run.
 */
export class Closers {
  readonly #entries: { name: string; close: Close }[] = [];
  readonly #log: Logger | undefined;
  #closing: Promise<void> | undefined;

  constructor(log?: Logger) {
    this.#log = log;
  }

  /** Registers a closer. When closing has already begun, the thing is closed at once: nothing opened late is leaked. */
  add(name: string, close: Close): void {
    if (this.#closing) this.#closing = this.#closing.then(() => this.#closeOne({ name, close }));
    else this.#entries.push({ name, close });
  }

  /** Registers and returns something that has `close()`. */
  use<T extends { close(): void | Promise<void> }>(name: string, thing: T): T {
    this.add(name, () => thing.close());
    return thing;
  }

  /** Runs every closer, last first; one that throws is logged and does not stop the others. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) await this.#closeOne(entry);
  }

  async #closeOne(entry: { name: string; close: Close }): Promise<void> {
    try {
      await entry.close();
    } catch (err) {
      this.#log?.error({ err, closer: entry.name }, 'a closer failed');
    }
  }
}

/** Runs `work` with closers that run when it ends, however it ends (graphile/worker's `withReleasers`). */
export async function withClosers<T>(work: (closers: Closers) => Promise<T>): Promise<T> {
  const closers = new Closers();
  try {
    return await work(closers);
  } finally {
    await closers.close();
  }
}
