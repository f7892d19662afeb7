import { createPostgresBackend, type BackendFactory, type IQueueBackend } from 'bullmq';
import type pg from 'pg';
import { PullWorker } from '../consume/pull-worker.ts';
import type { BullStore, Rewrite } from '../jobs/bull-store.ts';
import { TypeQueue } from '../jobs/type-queue.ts';
import type { QueueOptions } from '../options.ts';
import { connectionSettings, isAway } from './database.ts';
import { commonSchema, quoted, typeSchema } from './naming.ts';
import { prepareSchema } from './schema.ts';

/** BullMQ's queues in Postgres: one schema per worker type, so that a role can be limited to it. */
export class PostgresBullStore implements BullStore {
  readonly keepsOrder = false;
  readonly #pool: pg.Pool;
  readonly #url: string;
  readonly #prefix: string;
  readonly #options: QueueOptions;
  readonly #prepared = new Map<string, Promise<void>>();

  constructor(pool: pg.Pool, url: string, prefix: string, options: QueueOptions) {
    this.#pool = pool;
    this.#url = url;
    this.#prefix = prefix;
    this.#options = options;
  }

  isReady(workerType: string): boolean {
    return this.#prepared.has(workerType);
  }

  /** Makes the type's schema once per process, where it may. */
  ready(workerType: string): Promise<void> {
    let prepared = this.#prepared.get(workerType);
    if (!prepared) {
      prepared = prepareSchema(this.#pool, this.#prefix, workerType);
      this.#prepared.set(workerType, prepared);
      prepared.catch(() => this.#prepared.delete(workerType));
    }
    return prepared;
  }

  async openQueue(workerType: string): Promise<TypeQueue> {
    const queue = new TypeQueue(workerType, { connection: {} }, this.#options.onError, this.#backend(workerType, 2));
    return this.#whenReady(queue);
  }

  async openWorker(workerType: string, instance: string): Promise<PullWorker> {
    await this.ready(workerType);
    const options = {
      connection: {},
      name: instance,
      lockDuration: this.#options.lockMs,
      skipStalledCheck: true,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    };
    return this.#whenReady(new PullWorker(workerType, options, this.#options.onError, this.#backend(workerType, 5)));
  }

  async hasMarker(workerType: string): Promise<boolean> {
    const text = `select 1 from ${quoted(commonSchema(this.#prefix))}.markers where worker_type = $1`;
    return (await this.#pool.query(text, [workerType])).rowCount === 1;
  }

  async setMarker(workerType: string): Promise<void> {
    const markers = `${quoted(commonSchema(this.#prefix))}.markers`;
    await this.#pool.query(`insert into ${markers} (worker_type) values ($1) on conflict do nothing`, [workerType]);
  }

  async rewrite(workerType: string, { id, newId, name, data, token = '' }: Rewrite): Promise<boolean> {
    const table = `${quoted(typeSchema(this.#prefix, workerType))}.job`;
    const { rowCount } = await this.#pool.query(
      `update ${table} set id = $3, name = $4, data = $5::jsonb
       where queue = $1 and id = $2 and ($2 = $3 or not exists (select from ${table} where queue = $1 and id = $3))
         and case when $6 = ''
         then state = 'waiting' or (state = 'active' and coalesce(locked_until_ms, 0) < $7)
         else state = 'active' and lock_token = $6 end`,
      [workerType, id, newId, name, data, token, Date.now()],
    );
    return rowCount === 1;
  }

  isAway(error: unknown): boolean {
    return isAway(error);
  }

  /** BullMQ keeps the rejection of its first look at the schema for good: such an object is thrown away. */
  async #whenReady<T extends { waitUntilReady(): Promise<void>; close(): Promise<void> }>(opened: T): Promise<T> {
    try {
      await opened.waitUntilReady();
      return opened;
    } catch (error) {
      await opened.close().catch(this.#options.onError);
      throw error;
    }
  }

  #backend(workerType: string, max: number): BackendFactory<IQueueBackend> {
    const connection = { ...connectionSettings(this.#url), schema: typeSchema(this.#prefix, workerType), max };
    return (name, options, extra) => createPostgresBackend(name, { ...options, connection }, extra);
  }
}
