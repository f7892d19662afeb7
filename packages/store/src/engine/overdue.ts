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
    `SELECT ${COLUMNS} FROM jobs j WHERE j.state = 'pending' AND j.not_before <= now() ORDER BY j.not_before LIMIT $1`,
    [limit],
  );
}

/** Queued attempts that were not started although their type had a free slot for as long as they may wait. */
export function findOverdueStarts(store: Store, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_overdue_starts',
    `SELECT ${COLUMNS} FROM worker_types t CROSS JOIN LATERAL (
       SELECT * FROM jobs WHERE worker_type = t.name AND state = 'queued' AND start_by_clock_ms < t.free_clock_ms
       ORDER BY start_by_clock_ms LIMIT $1) j LIMIT $1`,
    [limit],
  );
}

/** Started attempts past the time by which they must complete. */
export function findOverdueCompletions(store: Store, limit: number): Promise<OverdueAttempt[]> {
  return find(
    store,
    'find_overdue_completions',
    `SELECT ${COLUMNS} FROM jobs j WHERE j.state = 'started' AND j.complete_by < now() ORDER BY j.complete_by LIMIT $1`,
    [limit],
  );
}

/** A run that nobody says he has. */
export interface LostRun extends OverdueAttempt {
  /** The instance that had it was lost as well: it neither left nor is heard of. */
  crashed: boolean;
}

/**
 * Started attempts that no instance has listed in a heartbeat for `holdMs`. An instance that leaves takes its holds with
 * it, so one that is gone and still holds was superseded: it crashed. Of one that crashed before its first heartbeat with
 * the job only the report of the start tells.
 */
export async function findLostRuns(store: Store, holdMs: number, limit: number): Promise<LostRun[]> {
  const { rows } = await store.pool.query<LostRun>({
    name: 'find_lost_runs',
    text: `SELECT ${COLUMNS}, coalesce(held.state IN ('lost', 'gone'), EXISTS (SELECT FROM worker_instances i
         WHERE i.worker_type = j.worker_type AND i.instance = j.instance AND i.state = 'lost')) AS crashed
       FROM jobs j LEFT JOIN job_holds h ON h.job_id = j.id AND h.attempt = j.attempt
         LEFT JOIN worker_instances held ON held.id = h.instance_id
       WHERE j.state = 'started' AND greatest(h.seen_at, j.started_at) < now() - $1 * interval '1 millisecond'
       ORDER BY j.complete_by LIMIT $2`,
    values: [holdMs, limit],
  });
  return rows;
}

/** When the last instance of a type (`worker_types t`) that takes work was seen; null while one is ready. */
export const SILENT_SINCE = `SELECT CASE WHEN EXISTS (SELECT FROM worker_instances i
    WHERE i.worker_type = t.name AND i.state = 'ready' AND i.slots > 0) THEN NULL
  ELSE (SELECT coalesce(max(i.last_seen_at), '-infinity') FROM worker_instances i
    WHERE i.worker_type = t.name AND i.slots > 0) END AS seen`;

/** How long what is on its way to a type (`worker_types t`) waits for an instance, unless its step says. */
export const PATIENCE = `coalesce((t.offline->>'limitMs')::bigint,
  CASE WHEN t.offline->>'policy' = 'fail' THEN 10000 ELSE 86400000 END) * interval '1 millisecond'`;

/**
 * Attempts on their way to a type that has had no live instance since, and past their offline limit: their own, or their
 * type's. That the last instance has gone away only now does not count against them.
 */
export async function findOfflineAttempts(store: Store, limit: number): Promise<OverdueAttempt[]> {
  const [byType, byJob] = await Promise.all([
    find(
      store,
      'find_attempts_past_the_limit_of_their_type',
      `SELECT ${COLUMNS} FROM worker_types t CROSS JOIN LATERAL (${SILENT_SINCE}) silent CROSS JOIN LATERAL (
         SELECT now() - ${PATIENCE} AS since) patience
         CROSS JOIN (VALUES ('invoked'), ('queued')) way(state) CROSS JOIN LATERAL (
           SELECT * FROM jobs WHERE worker_type = t.name AND state = way.state AND state IN ('invoked', 'queued')
             AND invoked_at < patience.since AND give_up_at IS NULL ORDER BY invoked_at LIMIT $1) j
       WHERE silent.seen <= patience.since LIMIT $1`,
      [limit],
    ),
    find(
      store,
      'find_attempts_past_their_own_limit',
      `SELECT ${COLUMNS} FROM worker_types t CROSS JOIN LATERAL (${SILENT_SINCE}) silent CROSS JOIN LATERAL (
         SELECT * FROM jobs WHERE worker_type = t.name AND state IN ('invoked', 'queued') AND give_up_at < now()
           AND silent.seen <= now() - (give_up_at - invoked_at) ORDER BY give_up_at LIMIT $1) j LIMIT $1`,
      [limit],
    ),
  ]);
  return [...byType, ...byJob];
}

/** An attempt that is in its type's queue or in a worker's hands, as the database has it. */
export interface OpenAttempt extends OverdueAttempt {
  state: 'invoked' | 'queued' | 'started';
  /** Milliseconds since the command was sent. */
  ageMs: number;
  /** How long ago an instance listed it last; milliseconds, null when none ever did. */
  unlistedMs: number | null;
  /** The type has a live instance that takes work. */
  live: boolean;
  /** The instance that listed it last was lost; where none did: one of the type was, since the command was sent. */
  workerLost: boolean;
  /** How long the queue may take to have it, where the job says so itself; milliseconds. */
  ackMs: number | null;
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
export async function findOpenAttempts(store: Store, workerType: string, limit: number): Promise<OpenAttempt[]> {
  const { rows } = await store.pool.query<OpenAttempt>({
    name: 'find_open_attempts',
    text: `SELECT ${COLUMNS}, j.state, (extract(epoch FROM now() - j.invoked_at) * 1000)::float8 AS "ageMs",
       (extract(epoch FROM now() - h.seen_at) * 1000)::float8 AS "unlistedMs",
       EXISTS (SELECT FROM worker_instances i WHERE i.worker_type = $1 AND i.state = 'ready' AND i.slots > 0) AS live,
       coalesce(held.state IN ('lost', 'gone'), (SELECT max(i.ended_at) FROM worker_instances i
         WHERE i.worker_type = $1 AND i.state = 'lost') > j.invoked_at, false) AS "workerLost",
       (j.timers->>'ackMs')::float8 AS "ackMs"
     FROM jobs j LEFT JOIN job_holds h ON h.job_id = j.id AND h.attempt = j.attempt
       LEFT JOIN worker_instances held ON held.id = h.instance_id
     WHERE j.worker_type = $1 AND j.state IN ('invoked', 'queued', 'started') ORDER BY j.invoked_at LIMIT $2`,
    values: [workerType, limit],
  });
  return rows;
}
