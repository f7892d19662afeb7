import type { OrderId } from '@connecta/contracts';
import { listen, readOrderSignal, type OrderChange } from './listen.ts';

/** What somebody waits for: any change of an order, or its end alone. */
export type AwaitedChange = 'any' | 'end';

/** Somebody's interest in one order, from `subscribe` on: no signal in between two waits is missed. */
export interface OrderSubscription {
  /** Resolves when signals are heard, or cannot be for now: a look at the order that comes later misses nothing. */
  readonly ready: Promise<void>;
  /** True when no end since then went unheard: an order that was placed later need not be looked at first. */
  heardSince(atMs: number): boolean;
  /** Resolves when the order changed (or may have) since the last call, or after `timeoutMs`. One call at a time. */
  changed(timeoutMs: number): Promise<void>;
  close(): void;
}

/** Every signal wakes a process and its connection: so long after the last wait nobody listens any more. */
const LINGER_MS = 60_000;
/** Ends are remembered for who asks for them a moment too late: so long, and so many. */
const RECENT = { ms: 2_000, count: 10_000 } as const;

/**
 * Tells who waits for orders that they changed: one listening connection for a whole process. States: deaf (nobody
 * waits) → connecting → listening → deaf; while the connection is away, waits end by their timeouts alone.
 */
export class OrderWatch {
  readonly #options: { databaseUrl: string; onError: (error: Error) => void };
  readonly #waiters = new Map<OrderId, Set<Waiter>>();
  readonly #ended = new Map<OrderId, number>();
  #listener: ReturnType<typeof listen> | undefined;
  #listeningSince = Number.POSITIVE_INFINITY;
  /** When it was last said that any order may have ended. */
  #anyEndedAt = Number.NEGATIVE_INFINITY;
  #linger: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: { databaseUrl: string; onError: (error: Error) => void }) {
    this.#options = options;
  }

  subscribe(orderId: OrderId, awaited: AwaitedChange = 'any'): OrderSubscription {
    const waiter = new Waiter(awaited);
    const waiters = this.#waiters.get(orderId) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(orderId, waiters);
    const now = performance.now();
    if (this.#ended.has(orderId) || now - this.#anyEndedAt < RECENT.ms) waiter.wake();
    return {
      ready: this.#listen(),
      heardSince: (atMs) => this.#listeningSince <= atMs && performance.now() - atMs < RECENT.ms,
      changed: (timeoutMs) => waiter.changed(timeoutMs),
      close: () => {
        waiter.wake();
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(orderId) === waiters) this.#waiters.delete(orderId);
        if (this.#waiters.size === 0) this.#linger ??= setTimeout(() => void this.#rest(), LINGER_MS).unref();
      },
    };
  }

  /** Ends all waits and the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake(null);
    await this.#rest();
  }

  #listen(): Promise<void> {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    if (this.#closed) return Promise.resolve();
    this.#listener ??= listen({
      databaseUrl: this.#options.databaseUrl,
      channels: ['orders'],
      onListening: () => (this.#listeningSince = performance.now()),
      onSignal: (_channel, payload) => this.#wake(readOrderSignal(payload)),
      onGap: () => this.#wake(null),
      onError: (error) => {
        this.#listeningSince = Number.POSITIVE_INFINITY;
        this.#options.onError(error);
      },
    });
    return this.#listener.ready;
  }

  async #rest(): Promise<void> {
    clearTimeout(this.#linger);
    this.#linger = undefined;
    const listener = this.#listener;
    this.#listener = undefined;
    this.#listeningSince = Number.POSITIVE_INFINITY;
    await listener?.close();
  }

  #wake(changes: readonly OrderChange[] | null): void {
    if (changes === null) {
      this.#anyEndedAt = performance.now();
      for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake();
      return;
    }
    for (const { orderId, open } of changes) {
      for (const waiter of this.#waiters.get(orderId) ?? []) if (!open || waiter.awaited === 'any') waiter.wake();
    }
    this.#remember(changes);
  }

  #remember(changes: readonly OrderChange[]): void {
    const now = performance.now();
    for (const { orderId, open } of changes) if (!open) this.#ended.set(orderId, now);
    for (const [orderId, atMs] of this.#ended) {
      if (now - atMs < RECENT.ms && this.#ended.size <= RECENT.count) break;
      this.#ended.delete(orderId);
      // Who asks for one of those that were forgotten too early looks for himself.
      if (now - atMs < RECENT.ms) this.#anyEndedAt = now;
    }
  }
}

class Waiter {
  readonly awaited: AwaitedChange;
  #dirty = false;
  #resolve: (() => void) | undefined;

  constructor(awaited: AwaitedChange) {
    this.awaited = awaited;
  }

  wake(): void {
    this.#dirty = true;
    this.#resolve?.();
  }

  async changed(timeoutMs: number): Promise<void> {
    if (!this.#dirty) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      this.#resolve = undefined;
    }
    this.#dirty = false;
  }
}
