import pg from 'pg';

/** Sessions of the queue. Its database is not the truth (every delivery can be made again from the orchestrator's), so a
 * commit need not wait for the disk: a server that crashes loses its last moment, as Redis does. */
const SESSION = '-c synchronous_commit=off -c statement_timeout=10000 -c idle_in_transaction_session_timeout=10000';

/** How the pools of one backend connect. */
export function connectionSettings(url: string) {
  return {
    connectionString: url,
    options: SESSION,
    application_name: 'connecta-queue',
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  };
}

/** SQLSTATE classes and codes that mean that the server is away: connection, shutdown and start, resources. */
const AWAY_STATES = /^(08|57P0|53)/;
const AWAY_ERRORS = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'ENOENT']);

/** True for an error that goes away with the server's return. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (AWAY_STATES.test(code) || AWAY_ERRORS.has(code)) return true;
  return /Connection terminated|timeout exceeded when trying to connect|Query read timeout/.test(error.message);
}

/** A small pool for our own statements. */
export function openPool(url: string, onError: (error: unknown) => void): pg.Pool {
  const pool = new pg.Pool({ ...connectionSettings(url), max: 4, idleTimeoutMillis: 30_000 });
  pool.on('error', onError);
  // The pool hears a connection's errors only while it is idle; unheard, one in use that is lost would end the process.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
