import type { JobError, JobId, JsonValue, OrderId, Progress } from '@connecta/contracts';
import type { StoredPlan } from '@connecta/domain';
import type pg from 'pg';
import type { JobKind } from '../engine/waiting.ts';

/** A job that ended in error and whose owner has not been told. */
export interface UntoldFailure {
  jobId: JobId;
  orderId: OrderId;
  step: string;
  /** 0 of a step, or of the head of its items. */
  item: number;
  kind: JobKind;
  attempt: number;
  error: JobError;
  clientName: string;
  workflowName: string | null;
  progress: Progress;
  plan: StoredPlan;
}

/** A worker type with work on its way and no live instance. */
export interface OfflineType {
  workerType: string;
  jobs: number;
  /** The oldest job's command, ISO 8601. */
  since: string;
}

/** Who owns a worker type, as it registered. */
export interface Owner {
  workerType: string;
  team: string;
  contact: string;
}

/**
 * Takes failures that nobody was told of and marks them as told, in the caller's transaction: what it does not commit
 * is taken again. Several replicas may take at once.
 */
export async function takeUntoldFailures(client: pg.ClientBase, limit: number): Promise<UntoldFailure[]> {
  const { rows } = await client.query<UntoldFailure>({
    name: 'take_untold_failures',
    text: `WITH untold AS (
        SELECT id FROM jobs WHERE state = 'error'::text AND told_attempt IS DISTINCT FROM attempt
        ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED),
      told AS (
        UPDATE jobs j SET told_attempt = j.attempt FROM untold WHERE j.id = untold.id
        RETURNING j.id, j.order_id, j.step, j.item, j.kind, j.attempt, j.error)
      SELECT t.id AS "jobId", t.order_id AS "orderId", t.step, t.item, t.kind, t.attempt, t.error,
        c.name AS "clientName", w.name AS "workflowName", o.progress, p.steps AS plan
      FROM told t JOIN orders o ON o.id = t.order_id JOIN clients c ON c.id = o.client_id
      JOIN plans p ON p.id = o.plan_id JOIN workflow_versions w ON w.id = p.workflow_version_id`,
    values: [limit],
  });
  return rows;
}

/** Types with commands older than `graceMs` and no instance that takes work. Of types that have one no job is read. */
export async function findOfflineTypes(client: pg.ClientBase, graceMs: number): Promise<OfflineType[]> {
  const { rows } = await client.query<OfflineType>({
    name: 'find_offline_types',
    text: `WITH silent AS MATERIALIZED (
        SELECT name FROM worker_types t WHERE NOT EXISTS (
          SELECT FROM worker_instances i WHERE i.worker_type = t.name AND i.state = 'ready' AND i.slots > 0))
      SELECT t.name AS "workerType", j.jobs, to_char(j.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS since
      FROM silent t CROSS JOIN LATERAL (
        SELECT count(*)::int AS jobs, min(invoked_at) AS since FROM jobs
        WHERE worker_type = t.name AND state IN ('invoked', 'queued')) j
      WHERE j.since < now() - $1 * interval '1 millisecond'`,
    values: [graceMs],
  });
  return rows;
}

/** The owners of all worker types. */
export async function listOwners(client: pg.ClientBase): Promise<Owner[]> {
  const { rows } = await client.query<Owner>({
    name: 'list_owners',
    text: `SELECT name AS "workerType", owner_team AS team, owner_contact AS contact FROM worker_types`,
  });
  return rows;
}

/** An order that ended and whose webhook has not been called for this epoch. */
export interface EndedOrder {
  id: OrderId;
  clientId: string;
  clientName: string;
  webhookGeneration: number;
  webhook: string;
  state: 'completed' | 'failed' | 'cancelled';
  epoch: number;
  result: JsonValue;
  error: JobError | null;
  createdAt: Date;
  finishedAt: Date;
}

/** Takes orders whose end is to be told and marks it as told, in the caller's transaction. */
export async function takeEndedOrders(client: pg.ClientBase, limit: number): Promise<EndedOrder[]> {
  const { rows } = await client.query<EndedOrder>({
    name: 'take_ended_orders',
    text: `WITH ended AS (
        SELECT id FROM orders WHERE webhook IS NOT NULL AND finished_at IS NOT NULL AND webhook_epoch < epoch
        ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
      UPDATE orders o SET webhook_epoch = o.epoch FROM ended, clients c WHERE o.id = ended.id AND c.id = o.client_id
      RETURNING o.id, o.client_id AS "clientId", c.name AS "clientName", c.webhook_generation AS "webhookGeneration",
        o.webhook, o.state, o.epoch, o.result, o.error, o.created_at AS "createdAt", o.finished_at AS "finishedAt"`,
    values: [limit],
  });
  return rows;
}
