import { QueueUnavailableError } from './errors.ts';

/** Gives up on a call after some time; the call itself goes on and its late failure is nobody's concern.
 * @throws QueueUnavailableError */
export async function within<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new QueueUnavailableError(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

/** A wait that can be ended early, once and for all: for loops that must stop at once. */
export class Sleeper {
  readonly #wakers = new Set<() => void>();
  #woken = false;

  /** True once {@link stop} was called. */
  isStopped(): boolean {
    return this.#woken;
  }

  sleep(ms: number): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wakers.add(done);
    });
  }

  /** Ends all waits, now and later. */
  stop(): void {
    this.#woken = true;
    for (const wake of [...this.#wakers]) wake();
  }
}

/** Passes the same message on at most once in `everyMs`: an absent store fails every connection once a second. */
export function throttled(onError: (error: Error) => void, everyMs = 10_000): (error: unknown) => void {
  const last = new Map<string, number>();
  return (thrown) => {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const now = Date.now();
    if (now - (last.get(error.message) ?? 0) < everyMs) return;
    if (last.size > 200) last.clear();
    last.set(error.message, now);
    onError(error);
  };
}
