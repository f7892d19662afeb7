import { newId, type BlobRef, type JobError, type JobId, type JsonValue } from '@connecta/contracts';
import { stepOfItem, type GivenContext, type PlannedStep } from '@connecta/domain';
import type { CountedItems, OtherJob, WaitingJob } from '@connecta/store';
import { taskJob, waitingEvent, waitingJob, waitsForOf, type JobPlace } from '../steps/new-job.ts';
import type { Prepared } from '../steps/prepare-step.ts';
import { beginChild } from './begin.ts';
import { stateOf, writeHead } from './head.ts';
import type { Ledger } from './ledger.ts';

/** An item, evaluated: what it begins with. */
export interface NewItem {
  key?: string;
  prepared: Prepared;
}

/** Further items of a list. */
export interface Chunk {
  /** How many there were when these were evaluated. */
  created: number;
  total: number;
  items: NewItem[];
  /** The whole list, with the first of its items. */
  list?: JsonValue;
}

/** Counts a batch's ended items at their head: the list goes on, is gathered, or fails. */
export function countItems(ledger: Ledger, head: WaitingJob): void {
  const ends = ledger.extras.itemEnds.get(head.step) ?? { done: 0, failed: 0, returned: 0 };
  const again = ledger.extras.headsAgain.has(head.step);
  if (head.state !== 'waiting' && head.state !== 'pending') return;
  const { counts, extension } = stateOf(head);
  if (again)
    ledger.events.push({ type: 'job', step: head.step, jobId: head.id, attempt: head.attempt, state: 'waiting' });
  if (again) ledger.mark(head.step, 'waiting');
  const state = again ? 'waiting' : head.state;
  writeHead(
    ledger,
    { ...head, state },
    {
      counts: { ...counts, done: counts.done + ends.done, failed: counts.failed + ends.failed },
      extension: ends.returned === 0 ? extension : { ...extension, pending: extension.pending + ends.returned },
    },
  );
}

/** Takes what the rows of a head's items say for its numbers; with items under way it is left alone. */
export function recountItems(ledger: Ledger, head: WaitingJob, items: CountedItems): void {
  if (items.open > 0) return;
  const { counts, extension } = stateOf(head);
  const { created, done, failed, pending } = items;
  writeHead(ledger, head, {
    counts: { total: counts.total, created, done, failed },
    extension: pending === extension.pending ? extension : { ...extension, pending },
  });
}

/** Makes jobs of items, the n-th with the number n. Items that others made meanwhile are left alone. */
export function addItems(ledger: Ledger, head: WaitingJob, chunk: Chunk): void {
  const { counts: before, extension } = stateOf(head);
  if (before.created !== chunk.created) return;
  const step = stepOfItem(ledger.plan.steps.get(head.step) as PlannedStep);
  const counts = { ...before, total: chunk.total };
  const given = head.contextIn ?? null;
  for (const item of chunk.items) {
    counts.created += 1;
    const at = { id: newId<JobId>(), orderId: ledger.order.id, name: head.step, item: counts.created };
    const ended = beginItem(ledger, step, { ...at, attempt: 1, seen: chunk.total, given }, item);
    if (ended) counts.done += 1;
    if (ended === 'error') counts.failed += 1;
  }
  writeHead(ledger, head, { counts, extension, list: chunk.list });
}

/** Which attempt of which item begins, and with what beside its input. */
export interface ItemPlace extends JobPlace {
  attempt: number;
  /** How long the list is that it is computed with. */
  seen: number;
  given: GivenContext | null;
  /** Of an item that is computed again: the attempt whose end stood before, what context it left, and why it stands no longer. */
  superseded?: { attempt: number; context: BlobRef | null; relatedTo: string[] };
}

/** Lets an item begin; its end, when it has one at once. */
export function beginItem(
  ledger: Ledger,
  step: PlannedStep,
  { attempt, seen, given, superseded, ...at }: ItemPlace,
  { key, prepared }: NewItem,
): 'error' | 'skipped' | null {
  const more: Pick<OtherJob, 'attempt' | 'seen' | 'itemKey' | 'superseded'> = { attempt, seen };
  if (key !== undefined) more.itemKey = key;
  if (superseded) more.superseded = superseded.attempt;
  const why = superseded && superseded.relatedTo.length > 0 ? { relatedTo: superseded.relatedTo } : {};
  const event = { type: 'job', step: at.name, item: at.item, jobId: at.id, attempt, ...why } as const;
  if (prepared.is !== 'begin') {
    const place = { id: at.id, orderId: at.orderId, step: at.name, item: at.item };
    const state = prepared.is === 'error' ? 'error' : 'skipped';
    const error: { error?: JobError } = prepared.is === 'error' ? { error: prepared.error } : {};
    ledger
      .openExtras()
      .otherJobs.push({ ...place, kind: step.kind, state, input: null, contextIn: given, ...error, ...more });
    ledger.events.push({ ...event, state, ...error });
    return state;
  }
  if (step.kind === 'task') {
    const job = taskJob(at, step, { input: prepared.input, params: ledger.paramsOf(step), given });
    const context = superseded?.context ?? job.context ?? null;
    ledger.openExtras().otherJobs.push({ ...job, context, kind: 'task', state: 'invoked', ...more });
    ledger.events.push({ ...event, state: 'invoked' });
    ledger.command(job, attempt, context);
    return null;
  }
  const job: OtherJob = { ...waitingJob(at, step, { begin: prepared, given }), ...more };
  ledger.openExtras().otherJobs.push(job);
  ledger.events.push({ ...waitingEvent(job, waitsForOf(step)), ...why });
  if (step.kind === 'order') beginChild(ledger, job, step, prepared);
  return null;
}
