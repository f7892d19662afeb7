import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkerEvent } from '@connecta/contracts';
import { QueueClosedError, openQueue, type Consumer, type Delivery, type QueueBackend } from '@connecta/queue';
import type { Logger } from '@connecta/runtime';
import type { Registered } from '../be-api/presence.ts';
import type { ReportChannel } from './ports.ts';

/** Where a runner's queue is. */
export type QueuePlace = NonNullable<Registered['queue']>;

/** A consumer that takes no more work may still run what it took: as long as the work needs. */
const RETIRED_GRACE_MS = 24 * 60 * 60 * 1000;

interface Link {
  readonly place: QueuePlace;
  readonly backend: QueueBackend;
}

/**
 * A runner's connection to its queue: opened with what a registration tells, opened anew when that changes. States:
 * unlinked → consuming ⇄ paused → closed. Reports are sent in every state but the first and the last.
 */
export class QueueLink implements ReportChannel {
  readonly #type: string;
  readonly #instance: string;
  readonly #slots: number;
  readonly #handle: (delivery: Delivery, letGo: () => void) => Promise<void>;
  readonly #log: Logger;
  /** Consumers that take no more work, and when each is done with what it took. */
  readonly #retired = new Map<Consumer, Promise<void>>();
  #link: Link | undefined;
  #consumer: Consumer | undefined;
  #paused = false;
  #closed = false;

  constructor(options: {
    type: string;
    instance: string;
    slots: number;
    handle: (delivery: Delivery, letGo: () => void) => Promise<void>;
    log: Logger;
  }) {
    this.#type = options.type;
    this.#instance = options.instance;
    this.#slots = options.slots;
    this.#handle = options.handle;
    this.#log = options.log;
  }

  /** Connects to where the queue is now and takes work unless paused. Known already, nothing changes. */
  async connect(place: QueuePlace): Promise<void> {
    const old = this.#link;
    if (this.#closed || (old && sameStore(old.place, place))) return;
    const onError = (err: Error): void => this.#log.warn({ err }, 'the queue had a fault');
    const backend = openQueue({ kind: place.backend, url: place.url, prefix: place.prefix, onError });
    this.#link = { place, backend };
    this.#retire();
    if (!this.#paused) this.#consume(backend);
    // Its pending reports are refused, and sent again through the new one.
    await old?.backend.close();
  }

  async publish(events: readonly WorkerEvent[]): Promise<void> {
    for (;;) {
      const link = this.#link;
      if (!link) throw new Error('the runner has no queue yet');
      try {
        await link.backend.events.publish(this.#type, events);
        return;
      } catch (error) {
        if (!(error instanceof QueueClosedError) || link === this.#link) throw error;
      }
    }
  }

  /** Takes no more work; what runs goes on. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#retire();
  }

  /** Takes work again. */
  resume(): void {
    if (!this.#paused || this.#closed) return;
    this.#paused = false;
    if (this.#link) this.#consume(this.#link.backend);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Ids of deliveries that were taken and are not over. */
  held(): string[] {
    return this.#consumers().flatMap((consumer) => consumer.held());
  }

  /** How long the store has not answered a request for work although a slot is free; 0 while no work is asked for. */
  unansweredMs(nowMs: number): number {
    return this.#consumer ? nowMs - this.#consumer.lastAskedAt() : 0;
  }

  /** Takes no more work and waits for what runs, at most `graceMs`. May be called again with another bound. */
  async drain(graceMs: number): Promise<void> {
    this.pause();
    const bound = new AbortController();
    const late = sleep(graceMs, undefined, { signal: bound.signal }).catch(() => undefined);
    await Promise.race([Promise.all(this.#retired.values()), late]);
    bound.abort();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#link?.backend.close();
  }

  #consumers(): Consumer[] {
    return [...this.#retired.keys(), ...(this.#consumer ? [this.#consumer] : [])];
  }

  #consume(backend: QueueBackend): void {
    this.#consumer = backend.jobs.consume(this.#type, {
      instance: this.#instance,
      slots: this.#slots,
      handle: this.#handle,
    });
  }

  #retire(): void {
    const consumer = this.#consumer;
    this.#consumer = undefined;
    if (!consumer) return;
    const done = consumer
      .close(RETIRED_GRACE_MS)
      .catch((err: unknown) => this.#log.warn({ err }, 'a consumer did not close'))
      .finally(() => this.#retired.delete(consumer));
    this.#retired.set(consumer, done);
  }
}

function sameStore(a: QueuePlace, b: QueuePlace): boolean {
  return a.backend === b.backend && a.url === b.url && a.prefix === b.prefix;
}
