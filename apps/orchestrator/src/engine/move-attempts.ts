import type { JobId } from '@connecta/contracts';
import { decideRetry, type AttemptEnd } from '@connecta/domain';
import {
  findChildren,
  findJobs,
  inBatch,
  lockOrders,
  queueJobs,
  type Batch,
  type ChildEnd,
  type EngineJob,
  type OverdueAttempt,
} from '@connecta/store';
import type { Inheritance } from './draft/moves.ts';
import { Drafts, type EngineParts } from './drafts.ts';
import type { Outcome } from './outcome.ts';

/**
 * What a timer or the reconciler found out about an attempt: it ended without a result; its backoff is `due`; it is
 * `gone` from the queue through no fault of a worker (nothing is counted); or the queue has it (`queued`).
 */
export type Finding = AttemptEnd | { kind: 'due' } | { kind: 'gone' } | { kind: 'queued' };

export interface FoundAttempt extends Pick<OverdueAttempt, 'jobId' | 'orderId' | 'attempt'> {
  finding: Finding;
}

export interface MoveOptions {
  parts: EngineParts;
  found: readonly FoundAttempt[];
  random: () => number;
}

/**
 * Moves attempts on in one transaction. What has changed since it was found is left alone; of several findings on one
 * job the first counts.
 */
export async function moveAttempts({ parts, found: all, random }: MoveOptions): Promise<Outcome> {
  const found = firstOfEachJob(all);
  if (found.length === 0) return { commands: [], changedOrders: [] };
  const { startMs } = parts.defaults.timers;
  return inBatch(parts.store, async (batch) => {
    const queued = found.filter(({ finding }) => finding.kind === 'queued');
    const others = found.filter(({ finding }) => finding.kind !== 'queued');
    const [orders, queuedJobs, jobs] = await Promise.all([
      lockOrders(batch, [...new Set(found.map(({ orderId }) => orderId))]),
      queued.length > 0
        ? queueJobs(
            batch,
            queued.map(({ jobId, attempt }) => ({ jobId, attempt, startMs })),
          )
        : [],
      others.length > 0
        ? findJobs(
            batch,
            others.map(({ jobId }) => jobId),
          )
        : [],
    ]);
    const drafts = new Drafts(parts);
    await drafts.open(orders);
    for (const job of queuedJobs) drafts.get(job.orderId)?.note(job, 'queued');
    const byId = new Map(jobs.map((job) => [job.id, job]));
    const children = await childrenOf(batch, jobs);
    for (const { jobId, attempt, finding } of others) {
      const job = byId.get(jobId);
      if (job?.attempt === attempt) move(drafts, job, finding, { parts, random, children });
    }
    const outcome = await drafts.commit(batch);
    // An order may have ended again before the job that is for it waits.
    return { ...outcome, endedFor: [...(outcome.endedFor ?? []), ...children.keys()] };
  });
}

/** The orders that jobs are: asked for only where a job is one. */
async function childrenOf(batch: Batch, jobs: readonly EngineJob[]): Promise<Map<JobId, ChildEnd>> {
  const ids = jobs.filter(({ kind }) => kind === 'order').map(({ id }) => id);
  const children = ids.length > 0 ? await findChildren(batch, ids) : [];
  return new Map(children.map((child) => [child.jobId, child]));
}

/** A run may be overdue and lost at once. Two moves from one state would each send a command. */
function firstOfEachJob(found: readonly FoundAttempt[]): FoundAttempt[] {
  const byJob = new Map<string, FoundAttempt>();
  for (const attempt of found) if (!byJob.has(attempt.jobId)) byJob.set(attempt.jobId, attempt);
  return [...byJob.values()];
}

function move(
  drafts: Drafts,
  job: EngineJob,
  finding: Finding,
  { parts, random, children }: Pick<MoveOptions, 'parts' | 'random'> & { children: ReadonlyMap<JobId, ChildEnd> },
): void {
  const draft = drafts.get(job.orderId);
  const open = job.state === 'invoked' || job.state === 'queued' || job.state === 'started';
  switch (finding.kind) {
    case 'due':
      if (job.state !== 'pending') return;
      if (job.kind === 'task' && isOfWorker(job)) draft?.invokeAgain(job, unchanged(job));
      else draft?.beginAgain(job, children.get(job.id));
      return;
    case 'gone':
      if (open) draft?.invokeAgain(job, unchanged(job));
      return;
    case 'queued':
      return;
    case 'failed':
    case 'lost':
    case 'timeout':
      if (open) draft?.retry(job, decideRetry(finding, job, draft.retryPolicy(job.step, parts.defaults), random()));
      return;
    default:
      finding satisfies never;
  }
}

function unchanged({ failed, lost, crashed, handedBack }: EngineJob): Inheritance {
  return { error: null, context: null, failed, lost, crashed, handedBack };
}

/** False of a job that failed before it became a worker's: its expressions had. */
function isOfWorker({ workerType }: { workerType: string | null }): boolean {
  return workerType !== null;
}
