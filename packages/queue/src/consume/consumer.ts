import { setImmediate } from 'node:timers/promises';
import { isPackId, membersOf } from '../jobs/packs.ts';
import type { Consumer, Delivery } from '../port.ts';
import { Sleeper, within } from '../waiting.ts';
import type { ConsumerSetup } from './consumer-setup.ts';
import { giveBack, renewLocks, shrink, whetherShort, type Held } from './held.ts';
import { whyGone, type Message, type PullWorker } from './pull-worker.ts';
import { Slots, type Member } from './slots.ts';

/** A request for work that was answered sooner found a backlog. */
const WAITED_MS = 1;

/**
 * Takes deliveries of one worker type and runs them in slots.
 *
 * States: *pulling* (a free slot: one request for work is under way, blocked at the store), *full* (no free slot: the
 * end of each message fetches the next in the same call), *closing*, *closed*. A worker object that got no answer for
 * `stuckMs` while slots were free is replaced by one with new connections; what the old one holds ends through it.
 */
export class DeliveryConsumer implements Consumer {
  readonly ready: Promise<void>;
  readonly #setup: ConsumerSetup;
  readonly #messages = new Set<Held>();
  readonly #held = new Set<string>();
  readonly #slots: Slots<Held>;
  readonly #sleeper = new Sleeper();
  readonly #ended = new Sleeper();
  readonly #timers: NodeJS.Timeout[];
  readonly #becomeReady: () => void;
  #limit: number;
  #worker: PullWorker | undefined;
  /** Counts replacements: a loop ends when it is not of the current one. */
  #era = 0;
  #pulling: Promise<void>;
  #askedAt = Date.now();
  #taken = 0;
  #tokens = 0;
  #onFree: (() => void) | undefined;
  #onIdle: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(setup: ConsumerSetup) {
    this.#setup = setup;
    this.#limit = setup.consume.slots;
    const { lockMs, stuckMs } = setup.options;
    const ready: PromiseWithResolvers<void> = Promise.withResolvers();
    this.ready = ready.promise;
    this.#becomeReady = ready.resolve;
    this.#slots = new Slots(setup.consume.slots, (member) => this.#run(member));
    this.#pulling = this.#open(0);
    this.#timers = [
      setInterval(() => void renewLocks(this.#messages, lockMs, setup.options.onError), lockMs / 6),
      setInterval(() => this.#replaceWhenStuck(), Math.min(stuckMs / 4, 5_000)),
    ];
  }

  lastAskedAt(): number {
    return this.#isFull() ? Date.now() : this.#askedAt;
  }

  running(): number {
    return this.#slots.running;
  }

  held(): string[] {
    return [...this.#held];
  }

  resize(slots: number): void {
    this.#limit = slots;
    this.#slots.resize(slots);
    this.#wake();
  }

  close(graceMs: number): Promise<void> {
    return (this.#closed ??= this.#close(graceMs));
  }

  #isFull(): boolean {
    return this.#taken >= this.#limit;
  }

  /** Opens a worker object (again and again until that succeeds) and pulls through it. */
  async #open(era: number): Promise<void> {
    while (!this.#sleeper.isStopped() && era === this.#era) {
      try {
        const worker = await this.#setup.openWorker();
        const old = this.#worker;
        this.#worker = worker;
        if (old) this.#retire(old);
        await this.#pull(worker);
      } catch (error) {
        this.#report(error);
        await this.#sleeper.sleep(500);
      }
    }
  }

  /** The loop that asks for work while a slot is free. One request at a time: BullMQ blocks only the first. */
  async #pull(worker: PullWorker): Promise<void> {
    while (!this.#sleeper.isStopped() && worker === this.#worker) {
      if (this.#isFull()) {
        await new Promise<void>((resolve) => (this.#onFree = resolve));
        continue;
      }
      const token = `${worker.id}:${this.#tokens++}`;
      const sinceMs = performance.now();
      try {
        const { message, answered } = await worker.pull(token);
        const alone = performance.now() - sinceMs >= WAITED_MS;
        if (answered) this.#asked();
        if (message && this.#sleeper.isStopped()) await worker.giveBack(message);
        else if (message) await whetherShort(this.#take(worker, message, alone));
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

  /** One that this instance already has (it was handed out again after the store was emptied) is not run twice. */
  #take(worker: PullWorker, message: Message, alone = false): Held {
    const { id = '', name, data } = message;
    const deliveries = membersOf({ id, name, data }).filter((delivery) => !this.#held.has(delivery.id));
    const open = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
    const settled = Promise.resolve();
    const lockedAt = Date.now();
    const held: Held = {
      message,
      worker,
      lockedAt,
      open,
      back: [],
      putBack: undefined,
      settled,
      ending: undefined,
      alone,
    };
    this.#messages.add(held);
    this.#taken += Math.max(open.size, 1);
    if (open.size === 0) held.ending = this.#finish(held);
    for (const delivery of deliveries) {
      this.#held.add(delivery.id);
      this.#slots.add({ owner: held, delivery });
    }
    if (open.size > 1 || this.#taken > this.#limit) this.#putBackLater(held);
    return held;
  }

  async #run({ owner: held, delivery }: Member<Held>): Promise<void> {
    let over: Promise<void> | undefined;
    const letGo = (): void => {
      // Behind the publisher, which sends what it got in a turn in the same phase of the event loop.
      if (this.#setup.keepsOrder) over ??= setImmediate().then(() => this.#over(held, delivery));
    };
    try {
      if ((await this.#setup.consume.handle(delivery, letGo)) === 'back') held.back.push(delivery);
    } catch (error) {
      this.#report(error);
    }
    this.#held.delete(delivery.id);
    if (!over) this.#over(held, delivery);
    else if (this.#taken === 0 && this.#held.size === 0) this.#onIdle?.();
  }

  #over(held: Held, { id }: Delivery): void {
    held.open.delete(id);
    // The slot is free for the next delivery at once; only the message's place in `taken` waits for the store.
    if (held.open.size === 0) held.ending = this.#finish(held);
    else this.#release(1);
  }

  /** Ends the message in the store and takes the next one in the same call when a slot is free for it. */
  async #finish(held: Held): Promise<void> {
    const { worker, message } = held;
    clearTimeout(held.putBack);
    await held.settled;
    let next: Message | undefined;
    for (let over = await giveBack(held, (error) => this.#report(error)); !over;) {
      const fetchNext = !this.#sleeper.isStopped() && worker === this.#worker && this.#taken <= this.#limit;
      try {
        next = await worker.finish(message, fetchNext);
        if (fetchNext) this.#asked();
        over = true;
      } catch (error) {
        const gone = whyGone(error);
        if (gone === 'unlocked') message.remove().catch((late: unknown) => this.#report(late));
        if (gone || this.#ended.isStopped()) break;
        this.#report(error);
        await this.#ended.sleep(500);
      }
    }
    this.#messages.delete(held);
    if (next) this.#take(worker, next);
    this.#release(1);
    if (worker !== this.#worker) this.#retire(worker);
  }

  #release(count: number): void {
    this.#taken -= count;
    this.#wake();
    if (this.#taken === 0 && this.#held.size === 0) this.#onIdle?.();
  }

  #wake(): void {
    if (this.#isFull()) return;
    const free = this.#onFree;
    this.#onFree = undefined;
    free?.();
  }

  #putBackLater(held: Held): void {
    const { putBackMs } = this.#setup.options.pack;
    held.putBack = setTimeout(() => (held.settled = this.#putBack(held)), putBackMs);
  }

  /** Puts the members of a pack back that did not get a slot, one by one: other instances may have free slots. Added
   * first and taken out of the pack then: should this process die in between, nobody runs them twice all the same,
   * because a dead consumer's pack is never handed out again. */
  async #putBack(held: Held): Promise<void> {
    const deliveries = this.#slots.takeWaiting(held).map(({ delivery }) => delivery);
    if (deliveries.length === 0) return;
    if (!isPackId(held.message.id ?? '')) {
      this.#forget(held, deliveries);
      held.back = deliveries;
      void this.#finish(held);
      return;
    }
    try {
      await held.worker.putBack(deliveries);
    } catch (error) {
      this.#report(error);
      for (const delivery of deliveries) this.#slots.add({ owner: held, delivery });
      this.#putBackLater(held);
      return;
    }
    this.#forget(held, deliveries);
    if (held.open.size > 0) {
      this.#release(deliveries.length);
      await shrink(held, (change) => this.#setup.rewrite(change)).catch((error: unknown) => this.#report(error));
    } else {
      this.#release(deliveries.length - 1);
      held.ending = this.#finish(held);
    }
  }

  #forget(held: Held, deliveries: readonly Delivery[]): void {
    for (const { id } of deliveries) {
      held.open.delete(id);
      this.#held.delete(id);
    }
  }

  #replaceWhenStuck(): void {
    const silentMs = Date.now() - this.#askedAt;
    if (this.#sleeper.isStopped() || this.#isFull() || silentMs < this.#setup.options.stuckMs) return;
    this.#report(new Error(`no answer to a request for work for ${silentMs} ms: opening new connections`));
    this.#askedAt = Date.now();
    this.#pulling = this.#open(++this.#era);
  }

  /** Closes a replaced worker object when nothing is left in it. */
  #retire(worker: PullWorker): void {
    for (const held of this.#messages) if (held.worker === worker) return;
    worker.close(true).catch((error: unknown) => this.#report(error));
  }

  async #close(graceMs: number): Promise<void> {
    this.#sleeper.stop();
    this.#onFree?.();
    this.#worker?.interrupt();
    for (const held of this.#messages) held.settled = this.#putBack(held);
    if ((this.#taken > 0 || this.#held.size > 0) && graceMs > 0) {
      const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
      await within(graceMs, 'running handlers', idle).catch(() => undefined);
    }
    this.#ended.stop();
    for (const timer of this.#timers) clearInterval(timer);
    for (const held of this.#messages) clearTimeout(held.putBack);
    await within(1_000, 'the last request for work', this.#pulling).catch(() => undefined);
    const closing = this.#worker?.close(true) ?? Promise.resolve();
    await within(1_000, 'closing', closing).catch((error: unknown) => this.#report(error));
    this.#setup.onClosed();
  }

  #report(error: unknown): void {
    this.#setup.options.onError(error);
  }
}
