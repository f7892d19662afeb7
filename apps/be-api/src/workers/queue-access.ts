import { createHmac } from 'node:crypto';
import type { Logger } from '@connecta/runtime';
import type { QueueBackend } from '@connecta/queue';

/** Where a runner finds the queue of its type, and as whom. */
export interface QueueAccess {
  backend: 'redis' | 'postgres';
  url: string;
  prefix: string;
  name: string;
}

/**
 * Gives each worker type an account of its own in the queue's store. Its password is derived from the lease key, so
 * every replica of be-api gives the same one and none is kept.
 */
export class QueueAccounts {
  readonly #queue: QueueBackend;
  readonly #prefix: string;
  readonly #leaseKey: string;
  readonly #staticUrl: string | undefined;
  readonly #assertEveryMs: number;
  readonly #log: Logger;
  readonly #assertedAtMs = new Map<string, number>();

  constructor(options: {
    queue: QueueBackend;
    prefix: string;
    leaseKey: string;
    /** Told to every worker instead: for a store whose accounts are made by its operator. */
    staticUrl?: string | undefined;
    /** The least time between two assertions of one type's account. */
    assertEveryMs: number;
    log: Logger;
  }) {
    this.#queue = options.queue;
    this.#prefix = options.prefix;
    this.#leaseKey = options.leaseKey;
    this.#staticUrl = options.staticUrl;
    this.#assertEveryMs = options.assertEveryMs;
    this.#log = options.log;
  }

  /** Makes the type's account, or corrects it. Rejects while the store is away. */
  async accessFor(workerType: string): Promise<QueueAccess> {
    const url = this.#staticUrl ?? (await this.#queue.accounts.assert(workerType, this.#password(workerType))).url;
    this.#assertedAtMs.set(workerType, Date.now());
    return { backend: this.#queue.kind, url, prefix: this.#prefix, name: workerType };
  }

  /**
   * Makes the account again now and then, in the background: Redis forgets accounts when it restarts, and a runner that
   * is told nothing would never get work again.
   */
  keep(workerType: string): void {
    if (this.#staticUrl !== undefined || this.#queue.kind !== 'redis') return;
    const now = Date.now();
    if (now - (this.#assertedAtMs.get(workerType) ?? 0) < this.#assertEveryMs) return;
    this.#assertedAtMs.set(workerType, now);
    this.accessFor(workerType).catch((err: unknown) => {
      this.#log.warn({ err, workerType }, "could not make sure of a worker type's queue account");
    });
  }

  #password(workerType: string): string {
    return createHmac('sha256', this.#leaseKey).update(`connecta queue account ${workerType}`).digest('base64url');
  }
}
