import { checkWorkerType, typeKeys } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { QueueAccounts } from '../port.ts';
import { within } from '../waiting.ts';
import type { RedisConnections } from './connections.ts';

/** What BullMQ and the event channel need of Redis, and nothing else. INFO is read at each connect. */
const RULES = [
  '-@all',
  '+@read',
  '+@write',
  '+@blocking',
  '+@scripting',
  '+@transaction',
  '+@connection',
  '+info',
  '+time',
  '-@dangerous',
  '+info',
  '-script|flush',
  '-script|kill',
  '-client|kill',
  '-client|pause',
  '-client|list',
  '-function',
  '-keys',
  '-scan',
  '-randomkey',
  '-dbsize',
  '-select',
  '-swapdb',
];

/** One Redis user per worker type, limited to that type's keys. */
export class RedisAccounts implements QueueAccounts {
  readonly #connections: RedisConnections;
  readonly #url: string;
  readonly #prefix: string;
  readonly #options: QueueOptions;

  constructor(connections: RedisConnections, url: string, prefix: string, options: QueueOptions) {
    this.#connections = connections;
    this.#url = url;
    this.#prefix = prefix;
    this.#options = options;
  }

  async assert(workerType: string, password: string): Promise<{ url: string }> {
    const user = this.#user(workerType);
    const { pattern } = typeKeys(this.#prefix, workerType);
    const redis = await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    const rules = ['reset', 'on', `>${password}`, `~${pattern}`, 'resetchannels', ...RULES];
    await within(this.#options.enqueueTimeoutMs, 'ACL SETUSER', redis.acl('SETUSER', user, ...rules));
    const url = new URL(this.#url);
    url.username = user;
    url.password = encodeURIComponent(password);
    return { url: url.href };
  }

  async remove(workerType: string): Promise<void> {
    const redis = await this.#connections.briskReady(this.#options.enqueueTimeoutMs);
    await within(this.#options.enqueueTimeoutMs, 'ACL DELUSER', redis.acl('DELUSER', this.#user(workerType)));
  }

  #user(workerType: string): string {
    return `${this.#prefix}-${checkWorkerType(workerType)}`;
  }
}
