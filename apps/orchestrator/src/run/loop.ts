import type { Logger } from '@connecta/runtime';

export interface LoopOptions {
  name: string;
  /** One turn; true: there may be more to do, go on at once. */
  tick: () => Promise<boolean>;
  /** How long to wait after a turn that found nothing. */
  idleMs: number;
  log: Logger;
}

/** How long a failing loop waits before its next turn; doubled up to the maximum. */
const BACKOFF_MS = { first: 50, most: 2000 };

/**
 * Calls `tick` again and again. States: stopped → running → stopping → stopped. A test calls `tick` itself and never
 * starts the loop.
 */
export class Loop {
  readonly #options: LoopOptions;
  #running: Promise<void> | undefined;
  #stopping = false;
  #woken = false;
  #wake: (() => void) | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the wait between two turns; during a turn, makes the next one follow at once. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Resolves when the turn under way has ended. May be called twice, and before `start`. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { name, tick, idleMs, log } = this.#options;
    let backoffMs = BACKOFF_MS.first;
    while (!this.#stopping) {
      this.#woken = false;
      let waitMs = idleMs;
      try {
        if (await tick()) waitMs = 0;
        backoffMs = BACKOFF_MS.first;
      } catch (error) {
        log.error({ err: error, loop: name }, 'a turn failed; it is tried again');
        waitMs = backoffMs;
        backoffMs = Math.min(backoffMs * 2, BACKOFF_MS.most);
      }
      if (waitMs > 0 && !this.#woken) await this.#wait(waitMs);
    }
  }

  async #wait(ms: number): Promise<void> {
    if (this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
