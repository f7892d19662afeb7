import type { PlannedStep } from '@connecta/domain';
import type { ChildEnd, EngineJob, OtherJob } from '@connecta/store';
import { waitingEvent, waitingJob } from '../steps/new-job.ts';
import type { Ledger } from './ledger.ts';

/**
 * Begins a job anew that ended in error and is no command: under its next attempt, from what its step says. That is
 * evaluated once more, for an item with its list: what failed may not have been an attempt but its beginning. Where the
 * order that it is (`child`) was taken up again for this attempt, it waits for that one.
 */
export function beginAgain(ledger: Ledger, job: EngineJob, child?: ChildEnd): void {
  const { id, orderId, step: name, item } = job;
  const attempt = job.attempt + 1;
  const place = { id, orderId, step: name, item, attempt };
  if (child?.parentAttempt === attempt) {
    const step = ledger.plan.steps.get(name) as PlannedStep;
    const begin = { is: 'begin', input: job.input } as const;
    const given = job.contextIn ?? null;
    const waiting = { ...waitingJob({ id, orderId, name, item }, step, { begin, given }), attempt };
    ledger.openExtras().otherJobs.push(waiting);
    ledger.events.push(waitingEvent(waiting, 'order'));
    ledger.mark(name, 'waiting', item);
    return;
  }
  if (job.kind === 'head' && hasItems(job)) {
    ledger.openExtras().headsAgain.add(name);
    return;
  }
  const kind = job.kind === 'head' ? 'head' : 'resolve';
  const work = kind === 'head' ? 'expand' : 'resolve';
  const again: OtherJob = { ...place, kind, state: 'waiting', input: null, work };
  ledger.openExtras().otherJobs.push(again);
  ledger.events.push(waitingEvent(again, kind === 'head' ? 'items' : 'values'));
  ledger.mark(name, 'waiting', item);
}

/** A head that failed before it had a list begins with it. */
function hasItems({ input }: EngineJob): boolean {
  return input !== null;
}
