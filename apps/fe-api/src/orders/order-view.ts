import type { FeApiOperations, JobState } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import type { OperationAnswer } from '@connecta/runtime';
import type { HoldUpFacts, ListedJob, ListedOrder, OrderTrace, TracedJob } from '@connecta/store';
import { HoldUps } from './hold-ups.ts';
import { waitingView } from './waiting-view.ts';

export type OrderView = OperationAnswer<FeApiOperations['getOrder'], 200>;
type JobTraceView = OrderView['jobs'][string];
type OrderSummaryView = OperationAnswer<FeApiOperations['listOrders'], 200>['items'][number];
type JobView = OperationAnswer<FeApiOperations['listJobs'], 200>['items'][number];

/** What a trace tells beside what is stored: where waiting steps are answered, and why something has not begun. */
interface Told {
  callbackKey: string | undefined;
  holdUps: HoldUpFacts | undefined;
  /** Whether it is counted how much others have under way. */
  counts: boolean;
}

/** The whole trace of an order as people read it. */
export function orderView(order: OrderTrace, told: Told): OrderView {
  const { id, state, input, params, createdBy, traceparent, epoch, version } = order;
  const holdUps = new HoldUps(order, told.holdUps, told);
  return {
    ...{ id, client: order.clientName, state },
    ...holdUps.ofOrder(),
    input,
    ...(Object.keys(params).length > 0 ? { params } : {}),
    ...whatItRuns(order),
    jobs: jobsOf(order, told.callbackKey, holdUps),
    ...(state === 'completed' ? { result: order.result } : {}),
    ...(order.error ? { error: order.error } : {}),
    ...{ epoch, version, createdBy, traceparent },
    ...(order.parentJobId ? { parentJobId: order.parentJobId } : {}),
    ...linksOf(order),
    createdAt: order.createdAt.toISOString(),
    ...(order.finishedAt ? { finishedAt: order.finishedAt.toISOString() } : {}),
  };
}

/** The orders that this one runs again, or that run this one again, and the context that it was given. */
function linksOf({ context, rerunOf, rerunFrom, reruns }: OrderTrace): Partial<OrderView> {
  return {
    ...(context ? { context } : {}),
    ...(rerunOf ? { rerunOf } : {}),
    ...(rerunFrom === null ? {} : { rerunFrom }),
    ...(reruns.length > 0 ? { reruns } : {}),
  };
}

/** Whose result a job took over. */
function originOf({ origin }: Pick<TracedJob, 'origin'>): Pick<JobTraceView, 'reusedFrom' | 'cachedFrom'> {
  if (!origin) return {};
  const { how, orderId, jobId } = origin;
  return how === 'reused' ? { reusedFrom: { orderId, jobId } } : { cachedFrom: { orderId, jobId } };
}

/** One order of a list. */
export function orderSummary(order: ListedOrder): OrderSummaryView {
  const { workflowName, workflowVersion, tasks } = order;
  return {
    ...{ id: order.id, client: order.clientName, state: order.state },
    ...(workflowName !== null && workflowVersion !== null
      ? { workflow: { name: workflowName, version: workflowVersion } }
      : {}),
    ...(tasks ? { tasks } : {}),
    progress: { ...order.progress },
    ...(order.rerunOf ? { rerunOf: order.rerunOf } : {}),
    ...(order.usedBy ? { usedBy: order.usedBy.map(usedByView) } : {}),
    ...(order.error ? { error: order.error } : {}),
    createdBy: order.createdBy,
    createdAt: order.createdAt.toISOString(),
    ...(order.finishedAt ? { finishedAt: order.finishedAt.toISOString() } : {}),
  };
}

function usedByView(used: NonNullable<ListedOrder['usedBy']>[number]): NonNullable<OrderSummaryView['usedBy']>[number] {
  const { items, ...rest } = used;
  return items.length > 0 ? { ...rest, items } : rest;
}

/** One job with everything that is known of it. */
export function jobView(job: ListedJob): JobView {
  const { id, step, item, kind, uses, state, attempt, lost, failed, crashed, workerType, profileId, profileRevision } =
    job;
  return {
    ...{ id, step, item, kind, state, attempt, lost, failed, crashed },
    ...(uses === null ? {} : { uses }),
    ...(workerType === null || job.function === null ? {} : { workerType, function: job.function }),
    ...(profileId === null || profileRevision === null ? {} : { profileId, profileRevision }),
    ...(job.itemKey === null ? {} : { key: job.itemKey }),
    input: job.input,
    ...(state === 'completed' ? { result: job.result } : {}),
    ...(job.context === null ? {} : { context: job.context }),
    ...originOf(job),
    ...(job.fingerprint === null ? {} : { fingerprint: job.fingerprint }),
    ...(job.error ? { error: job.error } : {}),
    ...(job.progress === null ? {} : { progress: job.progress }),
    ...(job.instance === null ? {} : { instance: job.instance }),
    ...timesOf(job),
    createdAt: job.createdAt.toISOString(),
    lateReports: job.lateReports.map((report) => ({ ...report, at: new Date(report.at).toISOString() })),
  };
}

function timesOf(job: ListedJob): Partial<Record<(typeof JOB_TIMES)[number], string>> {
  return Object.fromEntries(
    JOB_TIMES.flatMap((name) => {
      const time = job[name];
      return time ? [[name, time.toISOString()]] : [];
    }),
  );
}

const JOB_TIMES = ['notBefore', 'completeBy', 'invokedAt', 'queuedAt', 'startedAt', 'finishedAt'] as const;

function whatItRuns(order: OrderTrace): Pick<OrderView, 'workflow' | 'tasks' | 'steps'> {
  const { workflowName, workflowVersion, definition } = order;
  if (workflowName !== null && workflowVersion !== null) {
    return { workflow: { name: workflowName, version: workflowVersion } };
  }
  if (Array.isArray(definition['tasks'])) return { tasks: definition['tasks'] as string[] };
  return { steps: definition['steps'] as NonNullable<OrderView['steps']> };
}

/** Every step of the plan: its job where it has one, else what is known without. */
function jobsOf(order: OrderTrace, callbackKey: string | undefined, holdUps: HoldUps): OrderView['jobs'] {
  const jobs = new Map(order.jobs.map((job) => [job.step, job]));
  return Object.fromEntries(
    Object.entries(order.plan.steps).map(([name, step]) => {
      const job = jobs.get(name);
      return [
        name,
        {
          ...doing(step),
          ...(job
            ? { ...jobTrace(job), ...waitingView(job, step, callbackKey), ...holdUps.ofJob(job) }
            : { ...unbegun(order, name, step.needs), ...holdUps.ofStep(name) }),
        },
      ];
    }),
  );
}

/** What a step does: a task, a workflow, or waiting. */
function doing(step: PlannedStep): Pick<JobTraceView, 'uses' | 'workflow' | 'wait'> {
  if (step.kind === 'task') return { uses: step.uses };
  return step.kind === 'order' ? { workflow: step.workflow } : { wait: step.wait.for };
}

function jobTrace(job: TracedJob): JobTraceView {
  const { id, state, attempt, input, profileRevision, notBefore } = job;
  return {
    ...{ state, jobId: id, attempt, input },
    ...(state === 'completed' ? { result: job.result } : {}),
    ...(job.context === null ? {} : { context: job.context }),
    ...originOf(job),
    ...(job.error ? { error: job.error } : {}),
    ...(job.progress === null ? {} : { progress: job.progress }),
    ...(job.instance === null ? {} : { instance: job.instance }),
    ...(profileRevision === null ? {} : { profileRevision }),
    ...(notBefore !== null && state === 'pending' ? { notBefore: isoOf(notBefore) } : {}),
    ...(job.startedAt === null ? {} : { startedAt: isoOf(job.startedAt) }),
    ...(job.finishedAt === null ? {} : { finishedAt: isoOf(job.finishedAt) }),
  };
}

/** A step that nobody made a job for: it waits, or will never run. */
function unbegun(order: OrderTrace, step: string, needs: readonly string[]): JobTraceView {
  const state = order.progress[step];
  if (state === 'blocked') {
    const failed = needs.filter((need) => ['error', 'blocked', 'cancelled'].includes(order.progress[need] ?? ''));
    const message = `${failed.map((need) => `'${need}'`).join(', ')} failed`;
    return { state: 'skipped', error: { kind: 'permanent', code: 'blocked', message } };
  }
  const waiting: JobState = order.state === 'cancelled' ? 'cancelled' : 'pending';
  return { state: state ?? waiting };
}

/** Postgres writes times in JSON with an offset. */
function isoOf(time: string): string {
  return new Date(time).toISOString();
}
