import { NO_FOR_EACH, deliveryId, type WorkerEvent } from '@connecta/contracts';
import { decideRetry, isEqualJson, type Timers } from '@connecta/domain';
import {
  completeJobs,
  findJobs,
  inBatch,
  insertLateReports,
  lockOrders,
  recordProgress,
  startJobs,
  type Batch,
  type ChangedJob,
  type EngineJob,
  type LateReport,
} from '@connecta/store';
import { Drafts, type EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import { headOf, isCompletion, toCompleted, type ReportHead } from './completions.ts';
import type { Report } from './read-report.ts';

export interface ApplyOptions {
  parts: EngineParts;
  reports: readonly Report[];
  random: () => number;
}

export interface Applied extends Outcome {
  late: LateReport[];
}

type Of<Type extends WorkerEvent['type']> = Report & { event: Extract<WorkerEvent, { type: Type }> };
type End = Of<'completed'> | Of<'failed'>;

const attemptOf = ({ event }: Report): string => deliveryId(event.jobId, event.attempt);

/** Applies worker reports in one transaction: ends jobs, invokes what becomes ready, ends orders. */
export async function applyReports({ parts, reports, random }: ApplyOptions): Promise<Applied> {
  const completed = latest(reports.filter(isCompletion));
  const started = latest(reports.filter((report): report is Of<'started'> => report.event.type === 'started'));
  const failed = latest(reports.filter((report): report is Of<'failed'> => report.event.type === 'failed'));
  const progress = latest(reports.filter((report): report is Of<'progress'> => report.event.type === 'progress'));
  // New items are an item's to return: a job that is none does not complete with them.
  const unsuccessful: End[] = [
    ...failed.values(),
    ...[...completed.values()].filter(({ event }) => event.newItems !== undefined),
  ];
  const { timers } = parts.defaults;
  return inBatch(parts.store, async (batch) => {
    const orderIds = [...new Set(reports.map((report) => report.lease.orderId))];
    // All in one flight; each statement sees what was committed before the locks were granted.
    const [orders, startedJobs, completedJobs, failedJobs] = await Promise.all([
      lockOrders(batch, orderIds),
      started.size > 0
        ? startJobs(
            batch,
            Array.from(started.values(), (report) => toStarted(report, timers)),
          )
        : [],
      completed.size > 0 ? completeJobs(batch, Array.from(completed.values(), toCompleted)) : [],
      unsuccessful.length > 0
        ? findJobs(
            batch,
            unsuccessful.map((report) => report.event.jobId),
          )
        : [],
    ]);
    const drafts = new Drafts(parts);
    await drafts.open(orders);
    noteStarts(drafts, started, startedJobs);
    const done: Report[] = noteCompletions(drafts, completed, completedJobs);
    const ended = retryFailures(drafts, unsuccessful, failedJobs, { parts, random });
    const late = await findLate(batch, reports.filter(isEnd), { done: new Set([...done, ...ended]), ended });
    const outcome = await drafts.commit(batch, () => [
      ...(progress.size > 0
        ? [
            recordProgress(
              batch,
              Array.from(progress.values(), (report) => toProgress(report, timers)),
            ),
          ]
        : []),
      ...(late.length > 0 ? [insertLateReports(batch, late)] : []),
    ]);
    return { ...outcome, late };
  });
}

/** One report an attempt and kind: the first of repeats, except that the last report of progress counts. */
function latest<R extends Report>(reports: readonly R[]): Map<string, R> {
  const kept = new Map<string, R>();
  for (const report of reports) {
    const key = attemptOf(report);
    if (report.event.type === 'progress' || !kept.has(key)) kept.set(key, report);
  }
  return kept;
}

/** The report that changed a job: one batch may hold reports of several attempts of it. */
function reportOf<R extends Report>(reports: ReadonlyMap<string, R>, { id, attempt }: ChangedJob): R {
  return reports.get(deliveryId(id, attempt)) as R;
}

function noteStarts(drafts: Drafts, reports: ReadonlyMap<string, Of<'started'>>, jobs: readonly ChangedJob[]): void {
  for (const job of jobs) drafts.get(job.orderId)?.note(job, 'started', reportOf(reports, job).event.instance);
}

function noteCompletions(
  drafts: Drafts,
  reports: ReadonlyMap<string, Of<'completed'>>,
  jobs: readonly ChangedJob[],
): Report[] {
  return jobs.map((job) => {
    const report = reportOf(reports, job);
    drafts.get(job.orderId)?.complete(job, report.event);
    return report;
  });
}

/** Tries again what has not completed; what has is not open any more. */
function retryFailures(
  drafts: Drafts,
  reports: readonly End[],
  jobs: readonly EngineJob[],
  { parts: { defaults }, random }: Pick<ApplyOptions, 'parts' | 'random'>,
): Report[] {
  const byId = new Map(jobs.map((job) => [job.id, job]));
  return reports.filter(({ event, lease }) => {
    const job = byId.get(event.jobId);
    const draft = drafts.get(lease.orderId);
    if (!job || !draft || job.attempt !== event.attempt || !isOpen(job) || job.workerType !== lease.workerType)
      return false;
    const { context = null, startedAt = null } = event;
    const { error, retryAfterMs } = event.type === 'failed' ? event : { error: NO_FOR_EACH, retryAfterMs: undefined };
    const decision = decideRetry(
      { kind: 'failed', error, retryAfterMs },
      job,
      draft.retryPolicy(job.step, defaults),
      random(),
    );
    draft.retry({ ...job, instance: event.instance }, decision, { context, startedAt });
    return true;
  });
}

const isEnd = (report: Report): report is End => report.event.type === 'completed' || report.event.type === 'failed';

/** Ends that changed nothing, with the reason; a repeat of the winning attempt's own report is no late report. */
async function findLate(
  batch: Batch,
  ends: readonly End[],
  { done, ended }: { done: ReadonlySet<Report>; ended: readonly Report[] },
): Promise<LateReport[]> {
  // Failures are written with the commit: until then the row does not tell a repeat of one.
  const endOf = (report: Report): string => `${report.event.type} ${attemptOf(report)}`;
  const unwritten = new Set(ended.map(endOf));
  const rest = ends.filter((report) => !done.has(report) && !unwritten.has(endOf(report)));
  if (rest.length === 0) return [];
  const jobs = new Map(
    (
      await findJobs(
        batch,
        rest.map((report) => report.event.jobId),
      )
    ).map((job) => [job.id, job]),
  );
  return rest.flatMap(({ event, lease }) => {
    const reason = reasonOf(jobs.get(event.jobId), event);
    if (reason === null) return [];
    const report =
      event.type === 'completed' ? { value: event.value, at: event.at } : { error: event.error, at: event.at };
    return {
      orderId: lease.orderId,
      jobId: event.jobId,
      attempt: event.attempt,
      instance: event.instance,
      reason,
      report,
    };
  });
}

function reasonOf(job: EngineJob | undefined, event: End['event']): string | null {
  if (!job) return 'unknown_job';
  // The end of an item that is computed again did count.
  if (job.superseded === event.attempt) return null;
  if (job.attempt !== event.attempt) return 'stale_attempt';
  const repeated = event.type === 'completed' && job.state === 'completed' && isEqualJson(job.result, event.value);
  return repeated || (event.type === 'failed' && (job.state === 'error' || job.state === 'pending'))
    ? null
    : 'already_ended';
}

function isOpen(job: EngineJob): boolean {
  return job.state === 'invoked' || job.state === 'queued' || job.state === 'started';
}

function toStarted(report: Of<'started'>, { completeMs }: Timers): ReportHead & { completeMs: number } {
  return { ...headOf(report), completeMs };
}

function toProgress(
  report: Of<'progress'>,
  { completeMs, completeCapMs }: Timers,
): Parameters<typeof recordProgress>[1][number] {
  const { progress, context } = report.event;
  return { ...headOf(report), progress, context: context ?? null, completeMs, completeCapMs };
}
