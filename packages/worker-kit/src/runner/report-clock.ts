/** A job that ends within this time tells its start with its end. */
export const START_REPORT_MS = 100;
/** The least time between two progress reports of one attempt that carry no checkpoint. */
export const PROGRESS_REPORT_MS = 250;
const TICK_MS = 25;

/** What the clock has to know of an attempt. */
export interface Clocked {
  readonly startedAtMs: number;
}

/**
 * Tells late starts and thinned-out progress with one interval for all attempts: a timer per job would cost more than
 * most jobs. The interval runs only while there is something to watch.
 */
export class ReportClock<Attempt extends Clocked> {
  /** Attempts whose start is untold, in the order in which they began. */
  readonly #begun = new Set<Attempt>();
  /** Attempts with progress to tell, and when each may be told. */
  readonly #progress = new Map<Attempt, number>();
  readonly #toldAtMs = new WeakMap<Attempt, number>();
  readonly #send: (due: readonly Attempt[], nowMs: number) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (due: readonly Attempt[], nowMs: number) => void) {
    this.#send = send;
  }

  begin(attempt: Attempt): void {
    this.#begun.add(attempt);
    this.#timer ??= setInterval(() => this.tick(Date.now()), TICK_MS).unref();
  }

  end(attempt: Attempt): void {
    this.#begun.delete(attempt);
    this.#progress.delete(attempt);
  }

  /** Progress without a checkpoint: told when the last report is old enough, the newest fraction only. */
  tellLater(attempt: Attempt): void {
    if (this.#progress.has(attempt)) return;
    this.#progress.set(attempt, (this.#toldAtMs.get(attempt) ?? Number.NEGATIVE_INFINITY) + PROGRESS_REPORT_MS);
    this.#timer ??= setInterval(() => this.tick(Date.now()), TICK_MS).unref();
  }

  /** Something was told just now, start included. */
  toldNow(attempt: Attempt): void {
    this.#begun.delete(attempt);
    this.#progress.delete(attempt);
    this.#toldAtMs.set(attempt, Date.now());
  }

  /** Sends everything that is due. */
  tick(nowMs: number): void {
    const due = new Set<Attempt>();
    for (const attempt of this.#begun) {
      if (nowMs - attempt.startedAtMs < START_REPORT_MS) break;
      due.add(attempt);
    }
    for (const [attempt, fromMs] of this.#progress) if (fromMs <= nowMs) due.add(attempt);
    for (const attempt of due) this.toldNow(attempt);
    if (due.size > 0) this.#send([...due], nowMs);
    if (this.#begun.size === 0 && this.#progress.size === 0) this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
