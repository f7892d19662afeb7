import { newId, type JobError, type JobId, type JsonValue } from '@connecta/contracts';
import type { GivenContext, PlannedForEach, PlannedStep } from '@connecta/domain';
import type { HeadWrite, OtherJob, WaitingJob } from '@connecta/store';
import { taskJob, waitingEvent, waitingJob, waitsForOf, type JobPlace } from '../steps/newJob.ts';
import type { Prepared } from '../steps/prepareStep.ts';
import { beginChild } from './begin.ts';
import type { Ledger } from './ledger.ts';
import { endWaitingJob } from './moves.ts';

/** Further items of a list, evaluated: what each begins with. */
export interface Chunk {
  /** How many there were when these were evaluated. */
  created: number;
  total: number;
  items: { key?: string; prepared: Prepared }[];
  /** The whole list, with the first of its items. */
  list?: JsonValue;
}

type Counts = Pick<HeadWrite, 'total' | 'created' | 'done' | 'failed'>;

/** Counts a batch's ended items at their head: the list goes on, is gathered, or fails. */
export function countItems(ledger: Ledger, head: WaitingJob): void {
  const ends = ledger.itemEnds.get(head.step) ?? { done: 0, failed: 0 };
  const again = ledger.headsAgain.has(head.step);
  if (head.state !== 'waiting' && head.state !== 'pending') return;
  const before = countsOf(head);
  // The items that had failed run once more.
  const kept = again ? { ...before, done: before.done - before.failed, failed: 0 } : before;
  if (again)
    ledger.events.push({ type: 'job', step: head.step, jobId: head.id, attempt: head.attempt, state: 'waiting' });
  if (again) ledger.mark(head.step, 'waiting');
  const state = again ? 'waiting' : head.state;
  writeHead(ledger, { ...head, state }, { ...kept, done: kept.done + ends.done, failed: kept.failed + ends.failed });
}

/** Makes jobs of items, the n-th with the number n. Items that others made meanwhile are left alone. */
export function addItems(ledger: Ledger, head: WaitingJob, chunk: Chunk): void {
  const before = countsOf(head);
  if (before.created !== chunk.created) return;
  const step = ledger.plan.steps.get(head.step) as PlannedStep;
  const counts = { ...before, total: chunk.total };
  for (const item of chunk.items) {
    counts.created += 1;
    const at: JobPlace = { id: newId<JobId>(), orderId: ledger.order.id, name: head.step, item: counts.created };
    const ended = addItem(ledger, step, at, { ...item, given: head.contextIn ?? null });
    if (ended) counts.done += 1;
    if (ended === 'error') counts.failed += 1;
  }
  writeHead(ledger, head, counts, chunk.list);
}

function addItem(
  ledger: Ledger,
  step: PlannedStep,
  at: JobPlace,
  { key, prepared, given }: Chunk['items'][number] & { given: GivenContext | null },
): 'error' | 'skipped' | null {
  const itemKey = key === undefined ? {} : { itemKey: key };
  const event = { type: 'job', step: at.name, item: at.item, jobId: at.id, attempt: 1 } as const;
  if (prepared.is !== 'begin') {
    const place = { id: at.id, orderId: at.orderId, step: at.name, item: at.item };
    const state = prepared.is === 'error' ? 'error' : 'skipped';
    const error: { error?: JobError } = prepared.is === 'error' ? { error: prepared.error } : {};
    ledger.otherJobs.push({ ...place, kind: step.kind, state, attempt: 1, input: null, ...error, ...itemKey });
    ledger.events.push({ ...event, state, ...error });
    return state;
  }
  if (step.kind === 'task') {
    const job = taskJob(at, step, { input: prepared.input, params: ledger.paramsOf(step), given });
    ledger.otherJobs.push({ ...job, kind: 'task', state: 'invoked', attempt: 1, ...itemKey });
    ledger.events.push({ ...event, state: 'invoked' });
    ledger.command(job, 1, job.context ?? null);
    return null;
  }
  const job: OtherJob = { ...waitingJob(at, step, prepared), ...itemKey };
  ledger.otherJobs.push(job);
  ledger.events.push(waitingEvent(job, waitsForOf(step)));
  if (step.kind === 'order') beginChild(ledger, at, step, prepared);
  return null;
}

function writeHead(ledger: Ledger, head: WaitingJob, counts: Counts, list?: JsonValue): void {
  const { forEach } = ledger.plan.steps.get(head.step) as PlannedStep & { forEach: PlannedForEach };
  const isPending = head.state === 'pending';
  const isFailing = !isPending && forEach.onItemError === 'fail' && counts.failed > 0;
  const inFlight = counts.created - counts.done;
  ledger.events.push({ type: 'items', step: head.step, jobId: head.id, ...counts });
  const work = isPending ? null : workOf(counts, isFailing, forEach.max);
  ledger.heads.push({
    id: head.id,
    state: isPending ? 'pending' : 'waiting',
    ...counts,
    work,
    ...(list === undefined ? {} : { input: list }),
  });
  if (!isFailing || inFlight > 0) return;
  const message = `${counts.failed} of ${counts.total} items failed: see their errors`;
  endWaitingJob(ledger, head, { state: 'error', error: { kind: 'permanent', code: 'item_failed', message } });
}

/** More items when half of those that may be in flight have ended: each chunk is a transaction of its own. */
function workOf({ total, created, done }: Counts, isFailing: boolean, max: number): HeadWrite['work'] {
  if (isFailing) return null;
  if (done === total) return 'gather';
  return created < total && created - done <= max / 2 ? 'expand' : null;
}

function countsOf({ itemsTotal, itemsCreated, itemsDone, itemsFailed }: WaitingJob): Counts {
  return { total: itemsTotal ?? 0, created: itemsCreated ?? 0, done: itemsDone ?? 0, failed: itemsFailed ?? 0 };
}
