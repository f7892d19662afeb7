import pg from 'pg';
import type { QueueOptions } from '../options.ts';
import type { EventBatch, EventReader, ReaderOptions } from '../port.ts';
import { reportsIn } from '../reports/entry.ts';
import { Sleeper } from '../waiting.ts';
import { connectionSettings } from './database.ts';
import { commonSchema, quoted } from './naming.ts';
import { REPORTS_CHANNEL } from './schema.ts';

/** A read looks for itself this often: a notification may get lost with its connection. */
const POLL_MS = 1_000;

interface Row {
  id: string;
  worker_type: string;
  body: string;
}

export interface ReaderDatabase {
  pool: pg.Pool;
  url: string;
  prefix: string;
  /** Resolves when the reports' table is there. */
  ready: () => Promise<void>;
}

/**
 * Takes reports out of the table: rows that nobody has taken, past those that others are about to take. Never by a
 * sequence number, because a row with a lower one may be committed later. A taken row stays until it is acknowledged,
 * and is free again when that takes too long.
 */
export class PostgresEventReader implements EventReader {
  readonly #database: ReaderDatabase;
  readonly #reader: ReaderOptions;
  readonly #options: QueueOptions;
  readonly #reports: string;
  readonly #sleeper = new Sleeper();
  #listener: Promise<pg.Client> | undefined;
  #news = false;
  #onNews: (() => void) | undefined;
  #nextClaim = 0;

  constructor(database: ReaderDatabase, reader: ReaderOptions, options: QueueOptions) {
    this.#database = database;
    this.#reader = reader;
    this.#options = options;
    this.#reports = `${quoted(commonSchema(database.prefix))}.reports`;
  }

  async read({ max, blockMs }: { max: number; blockMs: number }): Promise<EventBatch> {
    const until = Date.now() + blockMs;
    let whole = false;
    while (!this.#sleeper.isStopped()) {
      try {
        await this.#listen();
        this.#news = false;
        const rows = await this.#take(max);
        whole = rows.length < max && this.#reader.workerTypes().length > 0;
        if (rows.length > 0) return this.#batch(rows, whole);
      } catch (error) {
        whole = false;
        if (this.#sleeper.isStopped()) break;
        this.#options.onError(error);
        await this.#sleeper.sleep(Math.max(0, Math.min(until - Date.now(), 250)));
      }
      const left = until - Date.now();
      if (left <= 0) break;
      await this.#waitForNews(Math.min(left, POLL_MS));
    }
    return { events: [], whole, ack: () => Promise.resolve() };
  }

  async close(): Promise<void> {
    this.#sleeper.stop();
    this.#onNews?.();
    const listener = await this.#listener?.catch(() => undefined);
    await listener?.end().catch(() => undefined);
  }

  async #take(max: number): Promise<Row[]> {
    const types = this.#reader.workerTypes();
    const now = Date.now();
    const claims = now >= this.#nextClaim;
    if (claims) this.#nextClaim = now + Math.min(this.#options.claimIdleMs / 3, 5_000);
    const free = await this.#update('taken_at is null', types, max);
    if (!claims) return free;
    const idle = `taken_at < now() - interval '${Math.round(this.#options.claimIdleMs)} milliseconds'`;
    const claimed = await this.#update(idle, types, max);
    if (claimed.length > 0) this.#nextClaim = 0;
    return [...claimed, ...free];
  }

  async #update(condition: string, types: readonly string[], max: number): Promise<Row[]> {
    const { rows } = await this.#database.pool.query<Row>(
      `with next as (
         select id from ${this.#reports} where ${condition} and worker_type = any($1)
         order by id limit $2 for update skip locked)
       update ${this.#reports} r set taken_at = now() from next where r.id = next.id
       returning r.id, r.worker_type, r.body`,
      [types, max],
    );
    return rows.sort((a, b) => Number(a.id) - Number(b.id));
  }

  #batch(rows: readonly Row[], whole: boolean): EventBatch {
    const events = rows.flatMap(({ worker_type: workerType, body }) =>
      reportsIn(body).map((report) => ({ workerType, body: report })),
    );
    return { events, whole, ack: () => this.#ack(rows.map(({ id }) => id)) };
  }

  async #ack(ids: readonly string[]): Promise<void> {
    try {
      await this.#database.pool.query(`delete from ${this.#reports} where id = any($1::bigint[])`, [ids]);
    } catch (error) {
      if (!this.#sleeper.isStopped()) this.#options.onError(error);
    }
  }

  async #waitForNews(ms: number): Promise<void> {
    if (this.#news) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onNews = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onNews = undefined;
  }

  /** A connection that is told about new reports; a new one when the last broke. */
  async #listen(): Promise<void> {
    this.#listener ??= this.#connect();
    const opening = this.#listener;
    try {
      await opening;
    } catch (error) {
      if (this.#listener === opening) this.#listener = undefined;
      throw error;
    }
  }

  async #connect(): Promise<pg.Client> {
    await this.#database.ready();
    const client = new pg.Client(connectionSettings(this.#database.url));
    const gone = (): void => {
      this.#listener = undefined;
    };
    client.on('error', (error) => {
      gone();
      if (!this.#sleeper.isStopped()) this.#options.onError(error);
    });
    client.on('end', gone);
    client.on('notification', () => {
      this.#news = true;
      this.#onNews?.();
    });
    await client.connect();
    await client.query(`listen ${REPORTS_CHANNEL}`);
    return client;
  }
}
