import {
  newId,
  type ClientId,
  type JsonValue,
  type OrderId,
  type ProfileId,
  type ScheduleId,
} from '@connecta/contracts';
import { findTaskCycle, type MissedPolicy, type OverlapPolicy, type Upstream } from '@connecta/domain';
import type pg from 'pg';
import { NameTakenError } from '../clients/clients.ts';
import { blobsAreThere } from '../engine/blobs-are-there.ts';
import type { Store } from '../store.ts';

/** A task as its type's registration declares it. */
export interface DeclaredTask {
  name: string;
  /** The profile that it runs, where its name is another. */
  profile: string | null;
  upstream: readonly Upstream[];
  cron: string | null;
  timeZone: string | null;
}

/** The schedule of a declared task with a `cron`. */
export interface TaskSchedule {
  task: string;
  times: { cron: string; timeZone: string };
  nextAt: Date | null;
  client: string;
  overlap: OverlapPolicy;
  missed: MissedPolicy;
  maxCatchUp: number;
}

/** A declared task among those of all types. */
export interface KnownTask extends DeclaredTask {
  /** `type/name` */
  task: string;
  workerType: string;
  ownerTeam: string;
  scheduleId: ScheduleId | null;
}

/** The profile that a task leads to now. */
export interface TaskProfile {
  task: string;
  profileId: ProfileId;
  revision: number;
}

/** A task's last completed run. */
export interface TaskRun {
  profileId: ProfileId;
  orderId: OrderId;
  finishedAt: Date;
  result: JsonValue;
}

/** Thrown when declared tasks would wait for each other. */
export class TaskCycleError extends Error {
  override readonly name = 'TaskCycleError';
  /** Ends where it begins. */
  readonly path: readonly string[];

  constructor(path: readonly string[]) {
    super(`these tasks wait for each other: ${path.join(' → ')}`);
    this.path = path;
  }
}

/**
 * Replaces the declared tasks of a type and the schedules that they own. One registration at a time looks at the graph of
 * all types: two that close a cycle together must not both pass. @throws TaskCycleError; NameTakenError
 */
export async function writeDeclaredTasks(
  client: pg.ClientBase,
  type: string,
  { tasks, schedules }: { tasks: readonly DeclaredTask[]; schedules: readonly TaskSchedule[] },
): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtextextended('connecta worker tasks', 0))`);
  await client.query('DELETE FROM worker_tasks WHERE worker_type = $1', [type]);
  await client.query(
    `INSERT INTO worker_tasks (worker_type, name, profile, upstream, cron, time_zone)
     SELECT $1, x.name, x.profile, x.upstream, x.cron, x."timeZone" FROM json_to_recordset($2::json)
       x(name text, profile text, upstream jsonb, cron text, "timeZone" text)`,
    [type, JSON.stringify(tasks)],
  );
  const { rows } = await client.query<{ task: string; upstream: Upstream[] }>(
    `SELECT worker_type || '/' || name AS task, upstream FROM worker_tasks ORDER BY worker_type, name`,
  );
  const cycle = findTaskCycle(new Map(rows.map(({ task, upstream }) => [task, upstream])));
  if (cycle) throw new TaskCycleError(cycle);
  await writeSchedules(client, type, schedules);
}

/** A schedule keeps its next slot, and whether it is paused, as long as its times stay the same. */
async function writeSchedules(client: pg.ClientBase, type: string, schedules: readonly TaskSchedule[]): Promise<void> {
  const rows = schedules.map(({ task, client: name, ...when }) => ({
    ...{ id: newId(), name: `task-${task.replace('/', '-')}`, ...when },
    order: { task, client: name },
  }));
  await client.query('DELETE FROM schedules WHERE owner = $1 AND NOT (name = ANY($2::text[]))', [
    type,
    rows.map(({ name }) => name),
  ]);
  // What is due by times that hold no more must not vanish without a trace.
  await client.query(
    `INSERT INTO schedule_ticks (schedule_id, slot, kind, state, reason)
     SELECT s.id, s.next_at, 'catch-up', 'missed',
       'the schedule was changed before anything looked at it; so were all slots from it to the change'
     FROM json_to_recordset($1::json) x(name text, times jsonb) JOIN schedules s ON s.name = x.name
     WHERE s.owner = $2 AND s.times <> x.times AND s.next_at <= now() AND NOT s.paused
     ON CONFLICT (schedule_id, slot) DO NOTHING`,
    [JSON.stringify(rows), type],
  );
  const { rowCount } = await client.query(
    `INSERT INTO schedules AS s (id, name, times, "order", overlap, missed, max_catch_up, owner, next_at, created_by)
     SELECT x.id, x.name, x.times, x."order", x.overlap, x.missed, x."maxCatchUp", $2, x."nextAt", 'worker:' || $2
     FROM json_to_recordset($1::json) x(id uuid, name text, times jsonb, "order" jsonb, "nextAt" timestamptz,
       overlap text, missed text, "maxCatchUp" int)
     ON CONFLICT (name) DO UPDATE SET times = excluded.times, "order" = excluded."order", overlap = excluded.overlap,
       missed = excluded.missed, max_catch_up = excluded.max_catch_up,
       next_at = CASE WHEN s.times = excluded.times THEN s.next_at WHEN s.paused THEN NULL ELSE excluded.next_at END,
       revision = s.revision + ((s.times, s."order", s.overlap, s.missed, s.max_catch_up)
         IS DISTINCT FROM (excluded.times, excluded."order", excluded.overlap, excluded.missed, excluded.max_catch_up))::int,
       updated_at = now()
     WHERE s.owner = $2`,
    [JSON.stringify(rows), type],
  );
  if ((rowCount ?? 0) < rows.length) throw new NameTakenError(rows.map(({ name }) => name).join(', '));
}

/** The declared tasks of all types, by name. */
export async function listDeclaredTasks(store: Store): Promise<KnownTask[]> {
  const { rows } = await store.pool.query<KnownTask>({
    name: 'list_declared_tasks',
    text: `SELECT t.worker_type || '/' || t.name AS task, t.worker_type AS "workerType", t.name, t.profile, t.upstream,
             t.cron, t.time_zone AS "timeZone", coalesce(w.owner_team, '') AS "ownerTeam", s.id AS "scheduleId"
           FROM worker_tasks t LEFT JOIN worker_types w ON w.name = t.worker_type
           LEFT JOIN schedules s ON s.name = 'task-' || t.worker_type || '-' || t.name AND s.owner = t.worker_type
           ORDER BY 1`,
  });
  return rows;
}

/** The teams that own worker types. */
export async function listOwnerTeams(store: Store): Promise<Map<string, string>> {
  const rows = await store.prisma.workerType.findMany({ select: { name: true, ownerTeam: true } });
  return new Map(rows.map(({ name, ownerTeam }) => [name, ownerTeam]));
}

/** The profiles of tasks (as steps use them), aliases followed; those that do not exist are left out. */
export async function findTaskProfiles(store: Store, tasks: readonly string[]): Promise<TaskProfile[]> {
  const { rows } = await store.pool.query<TaskProfile>({
    name: 'find_task_profiles',
    text: `WITH RECURSIVE hop AS (
        SELECT task, task AS at, 0 AS hops FROM unnest($1::text[]) task
        UNION ALL
        SELECT hop.task, p.alias_of, hop.hops + 1 FROM hop JOIN profiles p
          ON p.worker_type = split_part(hop.at, '/', 1) AND p.name = split_part(hop.at, '/', 2)
        WHERE p.deleted_at IS NULL AND p.alias_of IS NOT NULL AND hop.hops < 5)
      SELECT hop.task, p.id AS "profileId", p.revision FROM hop JOIN profiles p
        ON p.worker_type = split_part(hop.at, '/', 1) AND p.name = split_part(hop.at, '/', 2)
      WHERE p.deleted_at IS NULL AND p.alias_of IS NULL`,
    values: [tasks],
  });
  return rows;
}

/** How many of a profile's newest runs are looked at for one of the client. */
const RUNS_LOOKED_AT = 1000;

/**
 * The last run of each profile at its revision, by its function as it is now, among a client's orders. A result that was
 * taken over is as old as the run that it comes from, and one of which a blob is gone is no result any more.
 */
export async function findLastRuns(
  store: Store,
  clientId: ClientId,
  profiles: readonly { profileId: ProfileId; revision: number }[],
): Promise<TaskRun[]> {
  const { rows } = await store.pool.query<TaskRun>({
    name: 'find_last_runs',
    text: `SELECT x."profileId", j.order_id AS "orderId", j.finished_at AS "finishedAt", j.result
           FROM json_to_recordset($2::json) x("profileId" uuid, revision int),
           LATERAL (
             SELECT n.order_id, n.finished_at, n.result FROM (
               SELECT order_id, step, finished_at, result, profile_revision, item, origin, ran_version, worker_type, function
               FROM jobs WHERE profile_id = x."profileId" AND state = 'completed'
               ORDER BY finished_at DESC LIMIT ${RUNS_LOOKED_AT}) n
             JOIN orders o ON o.id = n.order_id JOIN plans p ON p.id = o.plan_id
             LEFT JOIN worker_types t ON t.name = n.worker_type
             WHERE n.profile_revision = x.revision AND n.item = 0 AND o.client_id = $1 AND n.origin IS NULL
               AND coalesce(n.ran_version, p.steps->'steps'->n.step->>'functionVersion')
                 IS NOT DISTINCT FROM t.behaviour->n.function->>'version'
               AND ${blobsAreThere('n.result')}
             ORDER BY n.finished_at DESC LIMIT 1) j`,
    values: [clientId, JSON.stringify(profiles)],
  });
  return rows;
}
