import type pg from 'pg';
import { checkWorkerType } from '../naming.ts';
import type { QueueOptions } from '../options.ts';
import type { QueueAccounts } from '../port.ts';
import { within } from '../waiting.ts';
import { quoted, typeRole, typeSchema } from './naming.ts';

/** Number of the lock behind which roles are changed: two gateways must not alter one role at once. */
const LOCK = 7_273_690_8;

/** One role per worker type, which can use that type's schema and nothing else in the queue's database. */
export class PostgresAccounts implements QueueAccounts {
  readonly #pool: pg.Pool;
  readonly #url: string;
  readonly #prefix: string;
  readonly #options: QueueOptions;
  readonly #ready: (workerType: string) => Promise<void>;

  constructor(
    place: { pool: pg.Pool; url: string; prefix: string },
    ready: (workerType: string) => Promise<void>,
    options: QueueOptions,
  ) {
    this.#pool = place.pool;
    this.#url = place.url;
    this.#prefix = place.prefix;
    this.#ready = ready;
    this.#options = options;
  }

  async assert(workerType: string, password: string): Promise<{ url: string }> {
    checkWorkerType(workerType);
    await within(this.#options.enqueueTimeoutMs * 5, 'making the schema', this.#ready(workerType));
    const role = await this.#change(workerType, async (client, name, database) => {
      const { rows } = await client.query<{ there: boolean }>(
        'select exists (select from pg_roles where rolname = $1) as there',
        [name],
      );
      const verb = rows[0]?.there ? 'alter' : 'create';
      const attributes = 'login nosuperuser nocreatedb nocreaterole noreplication';
      const { rows: made } = await client.query<{ sql: string }>(
        `select format('${verb} role %I with ${attributes} password %L', $1::text, $2::text) as sql`,
        [name, password],
      );
      const schema = quoted(typeSchema(this.#prefix, workerType));
      const to = quoted(name);
      await client.query(`${made[0]?.sql ?? ''};
        revoke all on database ${quoted(database)} from public;
        revoke all on schema public from public;
        grant connect on database ${quoted(database)} to ${to};
        grant usage on schema ${schema} to ${to};
        grant select, insert, update, delete on all tables in schema ${schema} to ${to};
        grant usage, select on all sequences in schema ${schema} to ${to};
        grant execute on all functions in schema ${schema} to ${to};`);
    });
    const url = new URL(this.#url);
    url.username = encodeURIComponent(role);
    url.password = encodeURIComponent(password);
    return { url: url.href };
  }

  async remove(workerType: string): Promise<void> {
    await this.#change(checkWorkerType(workerType), async (client, name, database) => {
      const { rows } = await client.query<{ oid: string }>('select oid from pg_roles where rolname = $1', [name]);
      if (!rows[0]) return;
      const role = quoted(name);
      await client.query(
        `drop owned by ${role}; revoke all on database ${quoted(database)} from ${role}; drop role ${role}`,
      );
      await client.query('select pg_terminate_backend(pid) from pg_stat_activity where usesysid = $1', [rows[0].oid]);
    });
  }

  async #change(
    workerType: string,
    work: (client: pg.ClientBase, role: string, database: string) => Promise<void>,
  ): Promise<string> {
    const client = await this.#pool.connect();
    try {
      await client.query('begin');
      await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
      const { rows } = await client.query<{ name: string }>('select current_database() as name');
      const database = rows[0]?.name ?? '';
      const role = typeRole(this.#prefix, workerType, database);
      await work(client, role, database);
      await client.query('commit');
      return role;
    } catch (error) {
      await client.query('rollback').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }
}
