import { callbackToken, type FeApiOperations } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import type { OperationAnswer } from '@connecta/runtime';
import type { TracedJob } from '@connecta/store';

type JobTraceView = OperationAnswer<FeApiOperations['getOrder'], 200>['jobs'][string];
type WaitingView = Pick<
  JobTraceView,
  | 'waitsFor'
  | 'until'
  | 'callback'
  | 'role'
  | 'instructions'
  | 'outcome'
  | 'decidedBy'
  | 'comment'
  | 'orderId'
  | 'items'
>;

/**
 * What a job that no worker runs waits for, and how it ended. With `callbackKey`: where to answer, for those who may.
 */
export function waitingView(job: TracedJob, step: PlannedStep, callbackKey: string | undefined): WaitingView {
  return {
    ...(job.state === 'waiting' ? openView(job, step, callbackKey) : {}),
    ...(job.outcome === null ? {} : { outcome: job.outcome }),
    ...(job.decision ? { decidedBy: job.decision.by } : {}),
    ...(job.decision?.comment === undefined ? {} : { comment: job.decision.comment }),
    ...(job.childOrderId === null ? {} : { orderId: job.childOrderId }),
    ...(job.itemsTotal === null
      ? {}
      : { items: { total: job.itemsTotal, done: job.itemsDone ?? 0, failed: job.itemsFailed ?? 0 } }),
  };
}

function openView(job: TracedJob, step: PlannedStep, callbackKey: string | undefined): WaitingView {
  if (job.kind === 'head') return { waitsFor: 'items' };
  if (job.kind === 'resolve') return { waitsFor: 'values' };
  if (job.kind === 'order') return { waitsFor: 'order' };
  const until = job.dueAt === null ? {} : { until: new Date(job.dueAt).toISOString() };
  if (step.kind !== 'wait') return until;
  const { wait } = step;
  const view: WaitingView = { waitsFor: wait.for, ...until };
  if (wait.for === 'approval') {
    return {
      ...view,
      role: wait.role ?? 'operator',
      ...(wait.instructions === undefined ? {} : { instructions: wait.instructions }),
    };
  }
  if (wait.for !== 'callback' || callbackKey === undefined) return view;
  return { ...view, callback: `/v1/callbacks/${callbackToken(callbackKey, { jobId: job.id, attempt: job.attempt })}` };
}
