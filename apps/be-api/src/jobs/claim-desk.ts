import type { Consumer, Delivery, JobQueues } from '@connecta/queue';

/** A delivery that was taken from the queue for a claim. Exactly one of the two ends it. */
export interface Taken {
  readonly delivery: Delivery;
  /** It was handed out, or nobody needs it any more. */
  over(): void;
  /** It was not handed out: others get it. */
  back(): void;
}

/** After the first delivery, a claim with more slots waits this long for further ones. */
const GATHER_MS = 5;
/** The queue is let go of after this time without a claim. */
const IDLE_MS = 60_000;

interface Waiting {
  slots: number;
  taken: Taken[];
  gather: NodeJS.Timeout | undefined;
  finish(): void;
}

/**
 * Takes deliveries of one worker type out of its queue for claims over HTTP: exactly as many as claims wait for, the
 * oldest claim first. States: *closed* (nobody claimed for a while: no connection) ⇄ *open* (a consumer with as many
 * slots as are wanted at the moment; with none it asks for nothing).
 */
export class ClaimDesk {
  readonly #queues: JobQueues;
  readonly #workerType: string;
  readonly #instance: string;
  #consumer: Consumer | undefined;
  #line: Waiting[] = [];
  #inHand = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: { queues: JobQueues; workerType: string; instance: string }) {
    this.#queues = options.queues;
    this.#workerType = options.workerType;
    this.#instance = options.instance;
  }

  /** Up to `slots` deliveries as soon as there are any; none when the signal is aborted first. */
  next(slots: number, signal: AbortSignal): Promise<Taken[]> {
    if (signal.aborted) return Promise.resolve([]);
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(waiting.gather);
        signal.removeEventListener('abort', finish);
        this.#line = this.#line.filter((one) => one !== waiting);
        this.#adjust();
        resolve(waiting.taken);
      };
      const waiting: Waiting = { slots, taken: [], gather: undefined, finish };
      signal.addEventListener('abort', finish, { once: true });
      this.#line.push(waiting);
      this.#adjust();
    });
  }

  close(): void {
    clearTimeout(this.#idle);
    for (const waiting of [...this.#line]) waiting.finish();
    const consumer = this.#consumer;
    this.#consumer = undefined;
    // What a failed close leaves behind, the queue's own closing ends.
    consumer?.close(1_000).catch(() => undefined);
  }

  #handle(delivery: Delivery): Promise<void | 'back'> {
    const waiting = this.#line[0];
    if (!waiting) return Promise.resolve('back');
    return new Promise((resolve) => {
      const end = (outcome: 'back' | undefined): void => {
        this.#inHand--;
        this.#adjust();
        resolve(outcome);
      };
      this.#inHand++;
      waiting.taken.push({ delivery, over: () => end(undefined), back: () => end('back') });
      if (waiting.taken.length >= waiting.slots) waiting.finish();
      else waiting.gather ??= setTimeout(() => waiting.finish(), GATHER_MS);
    });
  }

  /** Lets the consumer ask for what is wanted now. */
  #adjust(): void {
    clearTimeout(this.#idle);
    const wanted = this.#line.reduce((sum, { slots, taken }) => sum + slots - taken.length, 0);
    if (wanted > 0) this.#consumer ??= this.#consume();
    this.#consumer?.resize(wanted + this.#inHand);
    if (wanted + this.#inHand > 0 || !this.#consumer) return;
    this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }

  #consume(): Consumer {
    return this.#queues.consume(this.#workerType, {
      instance: this.#instance,
      slots: 0,
      handle: (delivery) => this.#handle(delivery),
    });
  }
}
