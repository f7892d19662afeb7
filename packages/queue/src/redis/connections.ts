import type { Redis, RedisOptions } from 'ioredis';
import { QueueUnavailableError } from '../errors.ts';
import { CorkedRedis } from './corked-redis.ts';

/** Longest wait for an answer: a connection that died without a word (a cut network, a stopped server) is reopened.
 * Blocking commands must stay below it. */
const SILENCE_MS = 7_000;

type Common = Omit<RedisOptions, 'replyMapping'>;
/** How a connection treats commands while Redis is away. */
type Temper = Pick<Common, 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'autoResendUnfulfilledCommands'>;

const COMMON: Common = {
  protocol: 2,
  connectTimeout: 5_000,
  socketTimeout: SILENCE_MS,
  keepAlive: 10_000,
  retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000) + Math.floor(Math.random() * 100),
};

/**
 * The connections of one backend, opened when first needed.
 *
 * `brisk` carries calls whose caller can go on without an answer (enqueue, counts): while Redis is away they fail at
 * once and nothing is sent later behind the caller's back. `patient` carries what must arrive (deliveries and, in
 * order with them, their reports): commands wait for Redis to come back and are sent again.
 */
export class RedisConnections {
  readonly #url: string;
  readonly #onError: (error: unknown) => void;
  readonly #open = new Set<Redis>();
  #brisk: Redis | undefined;
  #patient: Redis | undefined;

  constructor(url: string, onError: (error: unknown) => void) {
    this.#url = url;
    this.#onError = onError;
  }

  get brisk(): Redis {
    return (this.#brisk ??= this.open({
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    }));
  }

  get patient(): Redis {
    return (this.#patient ??= this.open({ maxRetriesPerRequest: null }));
  }

  /** A connection of its own, for blocking reads. */
  open(options: Temper): Redis {
    const connection = new CorkedRedis(this.#url, { ...COMMON, ...options });
    connection.on('error', this.#onError);
    connection.once('end', () => this.#open.delete(connection));
    this.#open.add(connection);
    return connection;
  }

  /** @throws QueueUnavailableError when the brisk connection is not up within the time. */
  async briskReady(timeoutMs: number): Promise<Redis> {
    const connection = this.brisk;
    if (connection.status === 'ready') return connection;
    await new Promise<void>((resolve, reject) => {
      const ready = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        connection.off('ready', ready);
        reject(new QueueUnavailableError(`no connection to Redis (${connection.status})`));
      }, timeoutMs);
      connection.once('ready', ready);
    });
    return connection;
  }

  close(): void {
    for (const connection of this.#open) connection.disconnect();
    this.#open.clear();
  }
}
