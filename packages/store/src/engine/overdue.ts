import type { JobId, OrderId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** An attempt that a timer found; the decision on it is made again under its order's lock. */
export interface OverdueAttempt {
  jobId: JobId;
  orderId: OrderId;
  attempt: number;
  workerType: string;
}

const COLUMNS = `j.id AS "jobId", j.order_id AS "orderId", j.attempt, j.worker_type AS "workerType"`;

async function find(store: Store, name: string, text: string, values: unknown[]): Promise<OverdueAttempt[]> {
  const { rows } = await store.pool.query<OverdueAttempt>({ name, text, values });
  return rows;
}

/** Jobs whose backoff is over. */
export function findDueBackoffs(store: Store, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_due_backoffs',
    `SELECT ${COLUMNS} FROM jobs j WHERE j.state = 'pending' AND j.not_before <= now() LIMIT $1`,
    [limit],
  );
}

/** Queued attempts whose type had a free slot for longer than `startMs` since they were queued. */
export function findOverdueStarts(store: Store, startMs: number, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_overdue_starts',
    `SELECT ${COLUMNS} FROM jobs j JOIN worker_types t ON t.name = j.worker_type
     WHERE j.state = 'queued' AND t.free_clock_ms - j.start_clock_ms > $1 LIMIT $2`,
    [startMs, limit],
  );
}

/** Started attempts past the time by which they must complete. */
export function findOverdueCompletions(store: Store, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_overdue_completions',
    `SELECT ${COLUMNS} FROM jobs j WHERE j.state = 'started' AND j.complete_by < now() LIMIT $1`,
    [limit],
  );
}

/** Started attempts that no instance has listed in a heartbeat for `holdMs`. */
export function findLostRuns(store: Store, holdMs: number, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_lost_runs',
    `SELECT ${COLUMNS} FROM jobs j LEFT JOIN job_holds h ON h.job_id = j.id AND h.attempt = j.attempt
     WHERE j.state = 'started' AND greatest(h.seen_at, j.started_at) < now() - $1 * interval '1 millisecond' LIMIT $2`,
    [holdMs, limit],
  );
}

/**
 * Attempts on their way to a type that has had no live instance since, and past its offline limit. That the last instance
 * has gone away only now does not count against them.
 */
export function findOfflineAttempts(store: Store, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_offline_attempts',
    `SELECT ${COLUMNS} FROM jobs j LEFT JOIN worker_types t ON t.name = j.worker_type,
       LATERAL (SELECT now() - CASE WHEN t.offline->>'policy' = 'fail' THEN interval '10 seconds'
         ELSE coalesce((t.offline->>'limitMs')::bigint, 86400000) * interval '1 millisecond' END AS since) patience
     WHERE j.state IN ('invoked', 'queued') AND j.invoked_at < patience.since
       AND NOT EXISTS (SELECT FROM worker_instances i WHERE i.worker_type = j.worker_type AND i.slots > 0
         AND (i.state = 'ready' OR i.last_seen_at > patience.since))
     LIMIT $1`,
    [limit],
  );
}

/** An attempt that is in its type's queue or in a worker's hands, as the database has it. */
export interface OpenAttempt extends OverdueAttempt {
  state: 'invoked' | 'queued' | 'started';
  /** Milliseconds since the command was sent. */
  ageMs: number;
  /** Some instance listed it within the hold time. */
  held: boolean;
  /** The type has a live instance that takes work. */
  live: boolean;
}

/** Invoked and queued attempts, by type, with how many there are of each. */
export async function countOpenAttempts(
  store: Store,
): Promise<{ workerType: string; invoked: number; queued: number }[]> {
  const { rows } = await store.pool.query<{ workerType: string; invoked: number; queued: number }>({
    name: 'count_open_attempts',
    text: `SELECT worker_type AS "workerType", count(*) FILTER (WHERE state = 'invoked')::int AS invoked,
       count(*) FILTER (WHERE state = 'queued')::int AS queued
     FROM jobs WHERE state IN ('invoked', 'queued') GROUP BY 1`,
  });
  return rows;
}

/** The open attempts of one type, oldest first. */
export async function findOpenAttempts(
  store: Store,
  workerType: string,
  holdMs: number,
  limit: number,
): Promise<OpenAttempt[]> {
  const { rows } = await store.pool.query<OpenAttempt>({
    name: 'find_open_attempts',
    text: `SELECT ${COLUMNS}, j.state, (extract(epoch FROM now() - j.invoked_at) * 1000)::float8 AS "ageMs",
       coalesce(h.seen_at > now() - $2 * interval '1 millisecond', false) AS held,
       EXISTS (SELECT FROM worker_instances i WHERE i.worker_type = j.worker_type AND i.state = 'ready' AND i.slots > 0) AS live
     FROM jobs j LEFT JOIN job_holds h ON h.job_id = j.id AND h.attempt = j.attempt
     WHERE j.worker_type = $1 AND j.state IN ('invoked', 'queued', 'started') ORDER BY j.invoked_at LIMIT $3`,
    values: [workerType, holdMs, limit],
  });
  return rows;
}
