import type pg from 'pg';
import { BullJobQueues } from '../jobs/job-queues.ts';
import { checkPrefix, checkWorkerType } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { EventChannel, EventReader, QueueAccounts, QueueBackend } from '../port.ts';
import type { TurnPublisher } from '../reports/turn-publisher.ts';
import { StaticAccounts } from '../static-accounts.ts';
import { PostgresAccounts } from './accounts.ts';
import { PostgresBullStore } from './bull-store.ts';
import { checkPostgres } from './check.ts';
import { openPool } from './database.ts';
import { postgresPublisher } from './event-publisher.ts';
import { PostgresEventReader } from './event-reader.ts';
import { prepareSchema } from './schema.ts';

/** The queue port on Postgres 13 or newer, in a database of its own: BullMQ for deliveries, a table for reports. */
export class PostgresBackend implements QueueBackend {
  readonly kind = 'postgres';
  readonly jobs: BullJobQueues;
  readonly events: EventChannel;
  readonly accounts: QueueAccounts;
  readonly #pool: pg.Pool;
  readonly #options: QueueOptions;
  readonly #publisher: TurnPublisher;
  readonly #readers = new Set<EventReader>();
  #closed: Promise<void> | undefined;

  constructor(url: string, prefix: string, options: QueueOptions) {
    checkPrefix(prefix);
    this.#options = options;
    this.#pool = openPool(url, options.onError);
    const store = new PostgresBullStore(this.#pool, url, prefix, options);
    const ready = (workerType: string): Promise<void> => store.ready(workerType);
    this.jobs = new BullJobQueues(store, options);
    this.#publisher = postgresPublisher(this.#pool, prefix, ready, options);
    this.accounts = options.staticAccounts
      ? new StaticAccounts(options.staticAccounts)
      : new PostgresAccounts({ pool: this.#pool, url, prefix }, ready, options);
    const database = { pool: this.#pool, url, prefix, ready: () => prepareSchema(this.#pool, prefix) };
    this.events = {
      publish: (workerType, events) => this.#publisher.publish(checkWorkerType(workerType), events),
      reader: (reader) => {
        const opened = new PostgresEventReader(database, reader, options);
        this.#readers.add(opened);
        return opened;
      },
    };
  }

  check(): Promise<void> {
    return checkPostgres(this.#pool, this.#options.enqueueTimeoutMs);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
    await this.jobs.close();
    this.#publisher.close();
    await this.#pool.end();
  }
}
