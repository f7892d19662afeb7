import type { JobError } from '@connecta/contracts';
import type { PlannedStep } from '@connecta/domain';
import type { ChildEnd, EngineJob, OtherJob } from '@connecta/store';
import { waitingEvent, waitingJob, waitsForOf } from '../steps/newJob.ts';
import { beginChild } from './begin.ts';
import { headOf, type Ledger } from './ledger.ts';

const NEVER_BEGAN: JobError = {
  kind: 'permanent',
  code: 'expression_failed',
  message: 'what the step says about this item fails, and would fail again',
};

/**
 * Begins a job anew that ended in error and is no command: under its next attempt, from what its step says. Where the
 * order that it is (`child`) was taken up again for this attempt, it waits for that one.
 */
export function beginAgain(ledger: Ledger, job: EngineJob, child?: ChildEnd): void {
  const { id, orderId, step: name, item } = job;
  const step = ledger.plan.steps.get(name) as PlannedStep;
  const attempt = job.attempt + 1;
  const place = { id, orderId, step: name, item, attempt };
  if (child?.parentAttempt === attempt) {
    const waiting = { ...waitingJob({ id, orderId, name, item }, step, { is: 'begin', input: job.input }), attempt };
    ledger.otherJobs.push(waiting);
    ledger.events.push(waitingEvent(waiting, 'order'));
    ledger.mark(name, 'waiting', item);
    return;
  }
  if (job.kind === 'head' && hasItems(job)) {
    ledger.headsAgain.add(name);
    return;
  }
  if (item === 0) {
    const kind = job.kind === 'head' ? 'head' : 'resolve';
    const again: OtherJob = {
      ...place,
      kind,
      state: 'waiting',
      input: null,
      work: kind === 'head' ? 'expand' : 'resolve',
    };
    ledger.otherJobs.push(again);
    ledger.events.push(waitingEvent(again, kind === 'head' ? 'items' : 'values'));
    ledger.mark(name, 'waiting');
    return;
  }
  if (step.kind === 'task') {
    ledger.otherJobs.push({ ...place, kind: 'task', state: 'error', input: null, error: NEVER_BEGAN });
    ledger.events.push({ ...headOf(job), attempt, state: 'error', error: NEVER_BEGAN });
    ledger.fail(job, NEVER_BEGAN);
    return;
  }
  const begin = { is: 'begin', input: job.input, ...dueOf(step) } as const;
  const at = { id, orderId, name, item };
  const waiting = { ...waitingJob(at, step, begin), attempt };
  ledger.otherJobs.push(waiting);
  ledger.events.push(waitingEvent(waiting, waitsForOf(step)));
  if (step.kind === 'order') beginChild(ledger, at, step, begin, attempt);
}

/** A head that failed before it had a list begins with it. */
function hasItems({ input }: EngineJob): boolean {
  return input !== null;
}

function dueOf(step: PlannedStep): { dueInMs?: number } {
  if (step.kind !== 'wait') return {};
  const ms = step.wait.for === 'time' ? (step.wait.afterMs ?? 0) : step.wait.timeoutMs;
  return ms === undefined ? {} : { dueInMs: ms };
}
