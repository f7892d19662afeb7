import type {
  BlobRef,
  ClientId,
  JobError,
  JobId,
  JobState,
  JsonValue,
  OrderId,
  OrderState,
  Progress,
  WorkflowVersionId,
} from '@connecta/contracts';
import { readPlan, type GivenContext, type Plan } from '@connecta/domain';
import { NEWEST_CHILD } from '../engine/children.ts';
import type { JobOrigin } from '../engine/jobs.ts';
import type { JobKind, WaitDecision } from '../engine/waiting.ts';
import type { Store } from '../store.ts';

/** Everything about one order, read in one snapshot. */
export interface OrderTrace {
  id: OrderId;
  clientId: ClientId;
  clientName: string;
  state: OrderState;
  epoch: number;
  version: number;
  progress: Progress;
  input: JsonValue;
  params: { [name: string]: JsonValue };
  result: JsonValue;
  error: JobError | null;
  parentJobId: JobId | null;
  createdBy: string;
  traceparent: string;
  createdAt: Date;
  finishedAt: Date | null;
  /** Null for what the order brought along. */
  workflowName: string | null;
  workflowVersion: number | null;
  definition: { [name: string]: JsonValue };
  plan: Plan;
  workflowVersionId: WorkflowVersionId;
  context: BlobRef | null;
  rerunOf: OrderId | null;
  rerunFrom: string | null;
  cacheTtlMs: number | null;
  /** The newest first, 100 at most. */
  reruns: OrderId[];
  jobs: TracedJob[];
}

/** A job as it stands in a trace. Times are ISO 8601 with an offset. */
export interface TracedJob {
  id: JobId;
  kind: JobKind;
  step: string;
  item: number;
  state: JobState;
  attempt: number;
  input: JsonValue;
  result: JsonValue;
  error: JobError | null;
  progress: number | null;
  instance: string | null;
  /** Of a worker's job. */
  profileRevision: number | null;
  /** When a wait is over. */
  dueAt: string | null;
  /** The edge that a wait took, and what was answered. */
  outcome: string | null;
  decision: WaitDecision | null;
  /** Of a head: its items. */
  itemsTotal: number | null;
  itemsDone: number | null;
  itemsFailed: number | null;
  /** The newest order that the step is. */
  childOrderId: OrderId | null;
  notBefore: string | null;
  startedAt: string | null;
  finishedAt: string | null;
  context: BlobRef | null;
  contextIn: GivenContext | null;
  origin: JobOrigin | null;
  fingerprint: string | null;
  createdAt: string;
}

/** The order with its plan and jobs; null when there is none. */
export async function findOrderTrace(store: Store, id: OrderId): Promise<OrderTrace | null> {
  const { rows } = await store.pool.query<OrderTrace>({
    name: 'find_order_trace',
    text: `SELECT o.id, o.client_id AS "clientId", c.name AS "clientName", o.state, o.epoch, o.version, o.progress, o.input,
        o.params, o.result, o.error, o.parent_job_id AS "parentJobId", o.created_by AS "createdBy", o.traceparent,
        o.created_at AS "createdAt", o.finished_at AS "finishedAt", w.name AS "workflowName",
        w.version AS "workflowVersion", w.id AS "workflowVersionId", w.definition, p.steps AS plan,
        o.context, o.rerun_of AS "rerunOf", o.rerun_from AS "rerunFrom", o.cache_ttl_ms::float8 AS "cacheTtlMs",
        ARRAY(SELECT r.id FROM orders r WHERE r.rerun_of = o.id ORDER BY r.id DESC LIMIT 100) AS reruns,
        (SELECT coalesce(json_agg(json_build_object('id', j.id, 'kind', j.kind, 'step', j.step, 'item', j.item, 'state', j.state,
           'attempt', j.attempt, 'input', j.input, 'result', j.result, 'error', j.error, 'progress', j.progress,
           'instance', j.instance, 'profileRevision', j.profile_revision, 'notBefore', j.not_before,
           'startedAt', j.started_at, 'finishedAt', j.finished_at, 'context', j.context, 'contextIn', j.context_in,
           'origin', j.origin, 'fingerprint', j.fingerprint, 'createdAt', j.created_at, 'dueAt', j.due_at, 'outcome', j.outcome,
           'decision', j.decision, 'itemsTotal', j.items_total, 'itemsDone', j.items_done, 'itemsFailed', j.items_failed,
           'childOrderId', CASE WHEN j.kind = 'order' THEN (SELECT h.id FROM orders h WHERE h.parent_job_id = j.id
             ORDER BY ${NEWEST_CHILD} LIMIT 1) END) ORDER BY j.id), '[]')
         FROM jobs j WHERE j.order_id = o.id AND j.item = 0) AS jobs
      FROM orders o JOIN clients c ON c.id = o.client_id JOIN plans p ON p.id = o.plan_id
      JOIN workflow_versions w ON w.id = p.workflow_version_id
      WHERE o.id = $1`,
    values: [id],
  });
  const trace = rows[0];
  return trace ? { ...trace, plan: readPlan(trace.plan) } : null;
}
