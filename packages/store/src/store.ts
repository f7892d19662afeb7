import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/prisma/client.ts';

/** The orchestrator's database: Prisma for what people do, two small pools of plain connections for the hot path. */
export interface Store {
  readonly prisma: PrismaClient;
  /** For hot single statements (intake, heartbeats): planner kept on indexes. */
  readonly pool: pg.Pool;
  /** For the engine's batches: reserved so that slow lists cannot starve them. */
  readonly engine: pg.Pool;
  close(): Promise<void>;
}

export interface StoreOptions {
  databaseUrl: string;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** Told of errors of idle connections; the pools replace them by themselves. */
  onError?: (error: Error) => void;
}

/**
 * The planner has no statistics on fresh tables and then joins a batch against a whole table (1.8 s for 1,000 rows were
 * measured): hot connections are kept on the indexes and on one generic plan a statement. For the same want of statistics
 * it takes an empty index for a large part of its table, and starts processes to share the reading (20 ms a look).
 */
const HOT_SETTINGS = [
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'enable_seqscan=off',
  'plan_cache_mode=force_generic_plan',
  'max_parallel_workers_per_gather=0',
  'jit=off',
  'statement_timeout=15000',
];

/**
 * A process that stands still in a transaction keeps its locks from everybody: the database ends such a session. Batches
 * wait for nothing between their two flights.
 */
const IDLE_IN_TRANSACTION_MS = 4000;

/** Opens the store. Connections are made when first needed: nothing fails here when the database is away. */
export function openStore({ databaseUrl, applicationName, onError = () => {} }: StoreOptions): Store {
  const common = {
    connectionString: databaseUrl,
    application_name: applicationName,
    keepAlive: true,
    connectionTimeoutMillis: 5000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
  const hot = { ...common, options: HOT_SETTINGS.map((setting) => `-c ${setting}`).join(' ') };
  const pool = new pg.Pool({ ...hot, max: 6 });
  const engine = new pg.Pool({ ...hot, max: 6 });
  for (const each of [pool, engine]) {
    each.on('error', onError);
    // The pool hears a connection's errors only while it is idle. One that is lost while somebody works with it fails
    // their statements and, unheard, would end the process as well.
    each.on('connect', (client) => client.on('error', () => {}));
  }
  const prisma = new PrismaClient({
    adapter: new PrismaPg({ ...common, max: 8, statement_timeout: 15_000 }, { onPoolError: onError }),
  });
  let closing: Promise<void> | undefined;
  return {
    prisma,
    pool,
    engine,
    close: () => (closing ??= Promise.all([prisma.$disconnect(), pool.end(), engine.end()]).then(() => {})),
  };
}
