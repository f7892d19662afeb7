import type { PlannedStep } from '@connecta/domain';
import type { WaitingJob } from '@connecta/store';
import { taskJob, waitingEvent, waitingJob, waitsForOf } from '../steps/new-job.ts';
import type { Prepared } from '../steps/prepare-step.ts';
import { beginChild } from './begin.ts';
import { headOf, type Ledger } from './ledger.ts';

/** Goes on with a job whose values are at hand now: it becomes what its step says, is skipped, or ends in error. */
export function beginResolved(ledger: Ledger, job: WaitingJob, prepared: Prepared): void {
  const step = ledger.plan.steps.get(job.step) as PlannedStep;
  const { id, orderId, item, attempt } = job;
  const at = { id, orderId, name: job.step, item };
  const place = { id, orderId, step: job.step, item, kind: step.kind, attempt };
  if (prepared.is === 'skip') {
    ledger.openExtras().otherJobs.push({ ...place, state: 'skipped', input: null });
    ledger.events.push({ ...headOf(job), state: 'skipped' });
    ledger.skip(job);
  } else if (prepared.is === 'error') {
    const { error } = prepared;
    ledger.openExtras().otherJobs.push({ ...place, state: 'error', input: null, error });
    ledger.events.push({ ...headOf(job), state: 'error', error });
    ledger.fail(job, error);
  } else if (step.kind === 'task') {
    const task = taskJob(at, step, {
      ...{ input: prepared.input, params: ledger.paramsOf(step), given: job.contextIn ?? null },
    });
    ledger.openExtras().otherJobs.push({ ...task, kind: 'task', state: 'invoked', attempt });
    ledger.events.push({ ...headOf(job), state: 'invoked' });
    ledger.mark(job.step, 'invoked', item);
    ledger.command(task, attempt, task.context ?? null);
  } else {
    const given = job.contextIn ?? null;
    const waiting = { ...waitingJob(at, step, { begin: prepared, given }), attempt };
    ledger.openExtras().otherJobs.push(waiting);
    if (step.kind === 'order') beginChild(ledger, waiting, step, prepared);
    ledger.events.push(waitingEvent(waiting, waitsForOf(step)));
  }
}
