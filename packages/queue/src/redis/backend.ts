import { checkPrefix, checkWorkerType, typeKeys } from '../naming.ts';
import { TurnPublisher } from '../reports/turn-publisher.ts';
import type { QueueOptions } from '../options.ts';
import type { EventChannel, EventReader, QueueAccounts, QueueBackend } from '../port.ts';
import { RedisAccounts } from './accounts.ts';
import { checkRedis } from './check.ts';
import { RedisConnections } from './connections.ts';
import { RedisEventReader } from './event-reader.ts';
import { StaticAccounts } from '../static-accounts.ts';
import { RedisBullStore } from './bull-store.ts';
import { BullJobQueues } from '../jobs/job-queues.ts';

/** The queue port on Redis 6.2 or newer (or Valkey): BullMQ for deliveries, one stream per worker type for reports. */
export class RedisBackend implements QueueBackend {
  readonly kind = 'redis';
  readonly jobs: BullJobQueues;
  readonly events: EventChannel;
  readonly accounts: QueueAccounts;
  readonly #connections: RedisConnections;
  readonly #options: QueueOptions;
  readonly #publisher: TurnPublisher;
  readonly #readers = new Set<EventReader>();
  #closed: Promise<void> | undefined;

  constructor(url: string, prefix: string, options: QueueOptions) {
    checkPrefix(prefix);
    this.#options = options;
    this.#connections = new RedisConnections(url, options.onError);
    this.jobs = new BullJobQueues(new RedisBullStore(this.#connections, prefix, options), options);
    this.#publisher = new TurnPublisher(
      (workerType, body) => this.#connections.patient.xadd(typeKeys(prefix, workerType).reports, '*', 'd', body),
      options,
    );
    this.accounts = options.staticAccounts
      ? new StaticAccounts(options.staticAccounts)
      : new RedisAccounts(this.#connections, url, prefix, options);
    this.events = {
      publish: (workerType, events) => this.#publisher.publish(checkWorkerType(workerType), events),
      reader: (reader) => {
        // One of its own that blocks. Acknowledgements travel with the deliveries that the reports led to.
        const reads = this.#connections.open({ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false });
        const connections = { reads, acks: this.#connections.brisk };
        const opened = new RedisEventReader(connections, prefix, reader, options);
        this.#readers.add(opened);
        return opened;
      },
    };
  }

  check(): Promise<void> {
    return checkRedis(this.#connections, this.#options.enqueueTimeoutMs);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
    await this.jobs.close();
    this.#publisher.close();
    this.#connections.close();
  }
}
