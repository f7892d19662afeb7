import type { InstanceState, JsonValue, ProfileId, WorkerInstanceId } from '@connecta/contracts';
import type { Store } from '../store.ts';

/** A worker type with what is live of it. */
export interface WorkerTypeSummary {
  type: string;
  version: string;
  language: string;
  transport: string;
  apiUrl: string;
  ownerTeam: string;
  ownerContact: string;
  functions: JsonValue;
  offline: JsonValue;
  updatedAt: Date;
  profiles: number;
  /** Instances that run jobs. */
  ready: number;
  draining: number;
  slots: number;
  freeSlots: number;
  /** When an instance that takes work was last seen; null when there never was one. */
  lastSeenAt: Date | null;
}

/** All worker types by name, or the one with this name. */
export async function listWorkerTypeSummaries(store: Store, type?: string): Promise<WorkerTypeSummary[]> {
  const { rows } = await store.pool.query<WorkerTypeSummary>({
    name: 'list_worker_type_summaries',
    text: `SELECT t.name AS type, t.version, t.language, t.transport, t.api_url AS "apiUrl", t.owner_team AS "ownerTeam",
        t.owner_contact AS "ownerContact", t.functions, t.offline, t.updated_at AS "updatedAt",
        (SELECT count(*)::int FROM profiles p WHERE p.worker_type = t.name AND p.deleted_at IS NULL) AS profiles,
        coalesce(i.ready, 0) AS ready, coalesce(i.draining, 0) AS draining, coalesce(i.slots, 0) AS slots,
        coalesce(i.free, 0) AS "freeSlots",
        (SELECT max(last_seen_at) FROM worker_instances WHERE worker_type = t.name AND slots > 0) AS "lastSeenAt"
      FROM worker_types t LEFT JOIN LATERAL (
        SELECT (count(*) FILTER (WHERE state = 'ready'))::int AS ready,
          (count(*) FILTER (WHERE state = 'draining'))::int AS draining,
          (sum(slots) FILTER (WHERE state = 'ready'))::int AS slots,
          (sum(free_slots) FILTER (WHERE state = 'ready'))::int AS free
        FROM worker_instances WHERE worker_type = t.name AND state IN ('ready', 'draining') AND slots > 0) i ON true
      WHERE $1::text IS NULL OR t.name = $1 ORDER BY t.name`,
    values: [type ?? null],
  });
  return rows;
}

/** One process of a worker type. */
export interface ListedInstance {
  id: WorkerInstanceId;
  instance: string;
  version: string;
  language: string;
  state: InstanceState;
  slots: number;
  freeSlots: number;
  labels: JsonValue;
  registeredAt: Date;
  lastSeenAt: Date;
  endedAt: Date | null;
}

const LISTED_INSTANCE = `id, instance, version, language, state, slots, free_slots AS "freeSlots", labels,
        registered_at AS "registeredAt", last_seen_at AS "lastSeenAt", ended_at AS "endedAt"`;

/** The instances of a type, live ones first, then those that ended within the last hour; 200 at most. */
export async function listInstances(store: Store, type: string): Promise<ListedInstance[]> {
  const { rows } = await store.pool.query<ListedInstance>({
    name: 'list_instances',
    text: `SELECT ${LISTED_INSTANCE} FROM worker_instances
      WHERE worker_type = $1 AND (state IN ('ready', 'draining') OR ended_at > now() - interval '1 hour')
      ORDER BY state IN ('ready', 'draining') DESC, registered_at DESC LIMIT 200`,
    values: [type],
  });
  return rows;
}

/**
 * Asks an instance to drain: its next heartbeat or claim is told so. One that is lost learns it should it come back; one
 * that is gone stays so. `runs_nothing`: it is a process of the type's API, which would be shown as one that drains for as
 * long as it lives. Null when there is no such instance of the type.
 */
export async function askToDrain(
  store: Store,
  type: string,
  id: WorkerInstanceId,
): Promise<ListedInstance | 'runs_nothing' | null> {
  const { rows } = await store.pool.query<ListedInstance>({
    name: 'ask_to_drain',
    text: `UPDATE worker_instances SET
        drain_asked_at = CASE WHEN state = 'gone' OR slots = 0 THEN drain_asked_at ELSE coalesce(drain_asked_at, now()) END,
        free_slots = CASE WHEN state = 'ready' THEN 0 ELSE free_slots END,
        state = CASE WHEN state = 'ready' AND slots > 0 THEN 'draining' ELSE state END
      WHERE worker_type = $1 AND id = $2 RETURNING ${LISTED_INSTANCE}`,
    values: [type, id],
  });
  const [instance] = rows;
  return instance?.slots === 0 ? 'runs_nothing' : (instance ?? null);
}

/** A task that orders can use. */
export interface ListedTask {
  name: string;
  profileId: ProfileId;
  function: string;
  revision: number;
  aliasOf: string | null;
}

/** The tasks of a type by name, from the read copy. */
export async function listTasks(store: Store, type: string): Promise<ListedTask[]> {
  const { rows } = await store.pool.query<ListedTask>({
    name: 'list_tasks',
    text: `SELECT name, id AS "profileId", function, revision, alias_of AS "aliasOf" FROM profiles
           WHERE worker_type = $1 AND deleted_at IS NULL ORDER BY name`,
    values: [type],
  });
  return rows;
}
