import { runMigrations } from 'bullmq';
import type pg from 'pg';
import { commonSchema, quoted, typeSchema } from './naming.ts';

export const REPORTS_CHANNEL = 'connecta_reports';
/** Number of the lock behind which schemas are made. */
const LOCK = 7_273_690_7;

/** Reports of all types, and the markers of their queues. */
function commonSql(schema: string): string {
  const own = quoted(schema);
  return `
    create schema if not exists ${own};
    create table if not exists ${own}.reports (
      id bigint generated always as identity primary key,
      worker_type text not null,
      body text not null,
      taken_at timestamptz
    ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
    create index if not exists reports_free on ${own}.reports (id) where taken_at is null;
    create index if not exists reports_taken on ${own}.reports (taken_at) where taken_at is not null;
    create table if not exists ${own}.markers (
      worker_type text primary key,
      set_at timestamptz not null default now()
    );`;
}

/** The door through which a type's role hands in reports: it cannot name another type, and cannot read the table. */
function publishSql(prefix: string, workerType: string): string {
  const own = quoted(typeSchema(prefix, workerType));
  const reports = `${quoted(commonSchema(prefix))}.reports`;
  return `
    create or replace function ${own}.publish_reports(bodies text[]) returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
    begin
      insert into ${reports} (worker_type, body) select '${workerType}', unnest(bodies);
      perform pg_notify('${REPORTS_CHANNEL}', '');
    end $body$;`;
}

/** True when this connection may make schemas: an orchestrator or a gateway, not a worker under its type's role. */
async function mayCreate(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>(
    `select has_database_privilege(current_database(), 'CREATE') as may`,
  );
  return rows[0]?.may ?? false;
}

/** Makes what all types have in common, and (when one is named) a worker type's own schema. Does nothing where it is
 * all there; where it is not and this connection may not make it, the first use tells. */
export async function prepareSchema(pool: pg.Pool, prefix: string, workerType?: string): Promise<void> {
  const client = await pool.connect();
  try {
    if (!(await mayCreate(client))) return;
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    try {
      await client.query(commonSql(commonSchema(prefix)));
      if (workerType === undefined) return;
      await runMigrations(client, typeSchema(prefix, workerType));
      await client.query(publishSql(prefix, workerType));
    } finally {
      await client.query('select pg_advisory_unlock($1)', [LOCK]);
    }
  } finally {
    client.release();
  }
}
