import type { QueueOptions } from '../options.ts';
import type { ConsumeOptions, Consumer, Delivery } from '../port.ts';
import { Sleeper, within } from '../waiting.ts';
import { isGone, type Message, type PullWorker } from './pull-worker.ts';

/** A message taken from the queue; it is over when all its deliveries are. */
interface Held {
  message: Message;
  id: string;
  worker: PullWorker;
  token: string;
  lockedAt: number;
  open: number;
}

/**
 * Takes deliveries of one worker type and runs them in slots.
 *
 * States: *pulling* (a free slot: one request for work is under way, blocked at the store), *full* (no free slot: the
 * end of each message fetches the next in the same call), *closing*. A worker object that got no answer for `stuckMs`
 * while slots were free is replaced by one with new connections; what the old one holds still ends through it.
 */
export class DeliveryConsumer implements Consumer {
  readonly ready: Promise<void>;
  readonly #openWorker: () => PullWorker;
  readonly #consume: ConsumeOptions;
  readonly #options: QueueOptions;
  readonly #messages = new Set<Held>();
  readonly #held = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  readonly #sleeper = new Sleeper();
  readonly #timers: NodeJS.Timeout[];
  readonly #becomeReady: () => void;
  #worker: PullWorker;
  #pulling: Promise<void>;
  #askedAt = Date.now();
  #taken = 0;
  #running = 0;
  #tokens = 0;
  #onFree: (() => void) | undefined;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(openWorker: () => PullWorker, consume: ConsumeOptions, options: QueueOptions) {
    this.#openWorker = openWorker;
    this.#consume = consume;
    this.#options = options;
    const ready = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.#becomeReady = ready.resolve;
    this.#worker = openWorker();
    this.#pulling = this.#pull(this.#worker);
    this.#timers = [
      setInterval(() => void this.#renewLocks(), options.lockMs / 6),
      setInterval(() => this.#replaceWhenStuck(), Math.min(options.stuckMs / 4, 5_000)),
    ];
  }

  lastAskedAt(): number {
    return this.#isFull() ? Date.now() : this.#askedAt;
  }

  running(): number {
    return this.#running;
  }

  held(): string[] {
    return [...this.#held];
  }

  close(graceMs: number): Promise<void> {
    return (this.#closed ??= this.#close(graceMs));
  }

  #isFull(): boolean {
    return this.#taken >= this.#consume.slots;
  }

  /** The loop that asks for work while a slot is free. One request at a time: BullMQ blocks only the first. */
  async #pull(worker: PullWorker): Promise<void> {
    while (!this.#sleeper.stopped && worker === this.#worker) {
      if (this.#isFull()) {
        await new Promise<void>((resolve) => (this.#onFree = resolve));
        continue;
      }
      const token = `${worker.id}:${this.#tokens++}`;
      try {
        const { message, answered } = await worker.pull(token);
        if (answered) this.#asked();
        if (message && this.#sleeper.stopped) await worker.giveBack(message, token);
        else if (message) this.#take(worker, message, token);
      } catch (error) {
        this.#report(error);
        await this.#sleeper.sleep(500);
      }
    }
  }

  #asked(): void {
    this.#askedAt = Date.now();
    this.#becomeReady();
  }

  #take(worker: PullWorker, message: Message, token: string): void {
    const deliveries = [{ id: message.id ?? '', name: message.name, data: message.data }];
    const held: Held = { message, id: message.id ?? '', worker, token, lockedAt: Date.now(), open: deliveries.length };
    this.#messages.add(held);
    this.#taken += deliveries.length;
    for (const delivery of deliveries) void this.#run(held, delivery);
  }

  /** Runs one delivery in the next free slot. One that this instance already has (it was handed out again after the
   * store was emptied) is not run twice. */
  async #run(held: Held, delivery: Delivery): Promise<void> {
    if (!this.#held.has(delivery.id)) {
      this.#held.add(delivery.id);
      if (this.#running >= this.#consume.slots) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      else this.#running++;
      try {
        await this.#consume.handle(delivery);
      } catch (error) {
        this.#report(error);
      }
      this.#held.delete(delivery.id);
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
    if (--held.open === 0) await this.#finish(held);
    else this.#release();
  }

  /** Ends the message in the store and takes the next one in the same call when its slot is free. */
  async #finish(held: Held): Promise<void> {
    const { worker, message, token } = held;
    let next: Message | undefined;
    for (;;) {
      const fetchNext = !this.#sleeper.stopped && worker === this.#worker && this.#taken <= this.#consume.slots;
      try {
        next = await worker.finish(message, token, fetchNext);
        if (fetchNext) this.#asked();
        break;
      } catch (error) {
        if (isGone(error)) break;
        this.#report(error);
        if (this.#sleeper.stopped) break;
        await this.#sleeper.sleep(500);
      }
    }
    this.#messages.delete(held);
    if (next) this.#take(worker, next, token);
    this.#release();
    if (worker !== this.#worker) this.#retire(worker);
  }

  #release(): void {
    this.#taken--;
    if (!this.#isFull()) {
      const free = this.#onFree;
      this.#onFree = undefined;
      free?.();
    }
    if (this.#taken === 0) this.#onIdle?.();
  }

  async #renewLocks(): Promise<void> {
    const now = Date.now();
    const due = [...this.#messages].filter(({ lockedAt }) => now - lockedAt >= this.#options.lockMs / 3);
    for (const held of due) held.lockedAt = now;
    const byWorker = Map.groupBy(due, ({ worker }) => worker);
    for (const [worker, helds] of byWorker)
      try {
        await worker.extendJobLocks(
          helds.map(({ id }) => id),
          helds.map(({ token }) => token),
          this.#options.lockMs,
        );
      } catch (error) {
        this.#report(error);
      }
  }

  #replaceWhenStuck(): void {
    const silentMs = Date.now() - this.#askedAt;
    if (this.#sleeper.stopped || this.#isFull() || silentMs < this.#options.stuckMs) return;
    this.#report(new Error(`no answer to a request for work for ${silentMs} ms: opening new connections`));
    const old = this.#worker;
    this.#askedAt = Date.now();
    this.#worker = this.#openWorker();
    this.#pulling = this.#pull(this.#worker);
    this.#retire(old);
  }

  /** Closes a replaced worker object when nothing is left in it. */
  #retire(worker: PullWorker): void {
    for (const held of this.#messages) if (held.worker === worker) return;
    worker.close(true).catch((error: unknown) => this.#report(error));
  }

  async #close(graceMs: number): Promise<void> {
    this.#sleeper.stop();
    for (const timer of this.#timers) clearInterval(timer);
    this.#onFree?.();
    this.#worker.interrupt();
    if (this.#taken > 0 && graceMs > 0)
      await within(graceMs, 'running handlers', new Promise<void>((resolve) => (this.#onIdle = resolve))).catch(
        () => undefined,
      );
    await within(1_000, 'the last request for work', this.#pulling).catch(() => undefined);
    await within(1_000, 'closing', this.#worker.close(true)).catch((error: unknown) => this.#report(error));
  }

  #report(error: unknown): void {
    this.#options.onError(error);
  }
}
