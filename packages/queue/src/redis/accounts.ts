import { createHash } from 'node:crypto';
import { checkWorkerType, typeKeys } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { QueueAccounts } from '../port.ts';
import { within } from '../waiting.ts';
import type { RedisConnections } from './connections.ts';

/**
 * What BullMQ and the event channel need, and nothing else. Redis limits the commands of a script like any other. SCAN
 * and RANDOMKEY would show the keys of others; INFO is read by every connection at its start.
 */
const RULES = [
  '-@all',
  '+@read',
  '+@write',
  '+@connection',
  '-@dangerous',
  '-scan',
  '-randomkey',
  '-dbsize',
  '+eval',
  '+evalsha',
  '+script|load',
  '+script|exists',
  '+info',
];

/** One Redis user per worker type, limited to that type's keys. Redis forgets users when it starts anew: those that
 * were asserted here are asserted again at each new connection (their passwords are kept as hashes). */
export class RedisAccounts implements QueueAccounts {
  readonly #connections: RedisConnections;
  readonly #url: string;
  readonly #prefix: string;
  readonly #options: QueueOptions;
  readonly #asserted = new Map<string, string>();
  #watching = false;

  constructor(connections: RedisConnections, url: string, prefix: string, options: QueueOptions) {
    this.#connections = connections;
    this.#url = url;
    this.#prefix = prefix;
    this.#options = options;
  }

  async assert(workerType: string, password: string): Promise<{ url: string }> {
    const hash = createHash('sha256').update(password).digest('hex');
    await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    await this.#setUser(checkWorkerType(workerType), hash);
    this.#asserted.set(workerType, hash);
    this.#assertAgain();
    const url = new URL(this.#url);
    url.username = this.#user(workerType);
    url.password = encodeURIComponent(password);
    return { url: url.href };
  }

  async remove(workerType: string): Promise<void> {
    this.#asserted.delete(workerType);
    const redis = await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    await this.#answer(redis.acl('DELUSER', this.#user(checkWorkerType(workerType))));
  }

  #assertAgain(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#connections.brisk.on('ready', () => {
      for (const [workerType, hash] of this.#asserted) this.#setUser(workerType, hash).catch(this.#options.onError);
    });
  }

  async #setUser(workerType: string, hash: string): Promise<void> {
    const { pattern } = typeKeys(this.#prefix, workerType);
    const rules = ['reset', 'on', `#${hash}`, `~${pattern}`, ...RULES];
    await this.#answer(this.#connections.brisk.acl('SETUSER', this.#user(workerType), ...rules));
  }

  #answer<T>(work: Promise<T>): Promise<T> {
    return within(this.#options.enqueueTimeoutMs, 'changing an account', work);
  }

  #user(workerType: string): string {
    return `${this.#prefix}-${workerType}`;
  }
}
