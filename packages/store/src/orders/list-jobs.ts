import type { JobError, JobId, JobState, JsonValue, OrderId, ProfileId } from '@connecta/contracts';
import type { JobKind } from '../engine/waiting.ts';
import type { JobOrigin } from '../engine/jobs.ts';
import type { Store } from '../store.ts';

export interface ListedJob {
  id: JobId;
  step: string;
  item: number;
  kind: JobKind;
  itemKey: string | null;
  uses: string | null;
  state: JobState;
  attempt: number;
  lost: number;
  failed: number;
  crashed: number;
  /** Of a worker's job. */
  workerType: string | null;
  function: string | null;
  profileId: ProfileId | null;
  profileRevision: number | null;
  input: JsonValue;
  result: JsonValue;
  context: JsonValue;
  origin: JobOrigin | null;
  fingerprint: string | null;
  error: JobError | null;
  progress: number | null;
  instance: string | null;
  notBefore: Date | null;
  completeBy: Date | null;
  createdAt: Date;
  invokedAt: Date | null;
  queuedAt: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  lateReports: { attempt: number; instance: string; reason: string; report: JsonValue; at: string }[];
}

/** The jobs of an order in the order in which they were made, with the reports that changed nothing. */
export async function listJobs(
  store: Store,
  page: { orderId: OrderId; after: JobId | undefined; limit: number },
): Promise<ListedJob[]> {
  const { rows } = await store.pool.query<ListedJob>({
    name: 'list_jobs',
    text: `SELECT j.id, j.step, j.item, j.kind, j.item_key AS "itemKey", p.steps->'steps'->j.step->>'uses' AS uses, j.state, j.attempt, j.lost, j.failed, j.crashed,
        j.worker_type AS "workerType", j.function, j.profile_id AS "profileId", j.profile_revision AS "profileRevision",
        j.input, j.result, j.context, j.origin, j.fingerprint, j.error, j.progress, j.instance, j.not_before AS "notBefore",
        j.complete_by AS "completeBy", j.created_at AS "createdAt", j.invoked_at AS "invokedAt",
        j.queued_at AS "queuedAt", j.started_at AS "startedAt", j.finished_at AS "finishedAt",
        (SELECT coalesce(json_agg(json_build_object('attempt', l.attempt, 'instance', l.instance, 'reason', l.reason,
           'report', l.report, 'at', l.at) ORDER BY l.id), '[]') FROM late_reports l WHERE l.job_id = j.id) AS "lateReports"
      FROM jobs j JOIN orders o ON o.id = j.order_id JOIN plans p ON p.id = o.plan_id
      WHERE j.order_id = $1 AND ($2::uuid IS NULL OR j.id > $2) ORDER BY j.id LIMIT $3`,
    values: [page.orderId, page.after ?? null, page.limit],
  });
  return rows;
}
