import type { OrderId } from '@connecta/contracts';
import { listen, readOrderSignal, type OrderChange } from './listen.ts';

/** What somebody waits for: any change of an order, or its end alone. */
export type AwaitedChange = 'any' | 'end';

/** Somebody's interest in one order, from `subscribe` on: no signal in between two waits is missed. */
export interface OrderSubscription {
  /** Resolves when the order changed (or may have) since the last call, or after `timeoutMs`. One call at a time. */
  changed(timeoutMs: number): Promise<void>;
  close(): void;
}

/** Tells who waits for orders that they changed: one listening connection for a whole process. */
export class OrderWatch {
  /** Resolves when signals are heard for the first time, or could not be yet. */
  readonly ready: Promise<void>;
  readonly #waiters = new Map<OrderId, Set<Waiter>>();
  readonly #listener: ReturnType<typeof listen>;

  /** Connects in the background; while the connection is away, waits end by their timeouts alone. */
  constructor(options: { databaseUrl: string; onError: (error: Error) => void }) {
    this.#listener = listen({
      databaseUrl: options.databaseUrl,
      channels: ['orders'],
      onSignal: (_channel, payload) => this.#wake(readOrderSignal(payload)),
      onGap: () => this.#wake(null),
      onError: options.onError,
    });
    this.ready = this.#listener.ready;
  }

  subscribe(orderId: OrderId, awaited: AwaitedChange = 'any'): OrderSubscription {
    const waiter = new Waiter(awaited);
    const waiters = this.#waiters.get(orderId) ?? new Set();
    waiters.add(waiter);
    this.#waiters.set(orderId, waiters);
    return {
      changed: (timeoutMs) => waiter.changed(timeoutMs),
      close: () => {
        waiter.wake();
        waiters.delete(waiter);
        if (waiters.size === 0 && this.#waiters.get(orderId) === waiters) this.#waiters.delete(orderId);
      },
    };
  }

  /** Ends all waits and the connection. */
  async close(): Promise<void> {
    this.#wake(null);
    await this.#listener.close();
  }

  #wake(changes: readonly OrderChange[] | null): void {
    if (changes === null) {
      for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake();
      return;
    }
    for (const { orderId, open } of changes) {
      for (const waiter of this.#waiters.get(orderId) ?? []) if (!open || waiter.awaited === 'any') waiter.wake();
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
