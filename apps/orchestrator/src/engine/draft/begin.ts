import { newId, type JobError, type OrderId } from '@connecta/contracts';
import type { OrderStep, PlannedStep } from '@connecta/domain';
import { failedJob, headJob, taskJob, waitingEvent, waitingJob, waitsForOf, type JobPlace } from '../steps/new-job.ts';
import type { OtherJob } from '@connecta/store';
import type { Beginning } from '../steps/prepare-step.ts';
import type { Ledger } from './ledger.ts';
import { givenContext, taskInputOf } from './given.ts';

/** Makes the job of a step that begins: a command, a wait, or an order of its own. */
export function beginStep(ledger: Ledger, at: JobPlace, step: PlannedStep, begin: Beginning): void {
  if (step.kind === 'task') {
    const job = taskJob(at, step, taskInputOf(ledger, step, begin.input));
    ledger.newJobs.push(job);
    ledger.events.push({ type: 'job', step: at.name, jobId: at.id, attempt: 1, state: 'invoked' });
    ledger.command(job, 1, job.context ?? null);
    return;
  }
  const given = givenContext(ledger, step);
  const job = waitingJob(at, step, { begin, given });
  ledger.openExtras().otherJobs.push(job);
  ledger.events.push(waitingEvent(job, waitsForOf(step)));
  ledger.mark(at.name, 'waiting');
  if (step.kind === 'order') beginChild(ledger, job, step, begin);
}

/** Makes the job of a step whose items, or whose large values, are seen to outside of the transaction. */
export function beginHead(ledger: Ledger, at: JobPlace, kind: 'head' | 'resolve'): void {
  const given = givenContext(ledger, ledger.plan.steps.get(at.name) as PlannedStep);
  const job = headJob(at, kind, given);
  ledger.openExtras().otherJobs.push(job);
  ledger.events.push(waitingEvent(job, kind === 'head' ? 'items' : 'values'));
  ledger.mark(at.name, 'waiting');
}

/** Makes the job of a step that ends before it has begun. */
export function failStep(ledger: Ledger, at: JobPlace, step: PlannedStep, error: JobError): void {
  ledger.openExtras().otherJobs.push(failedJob(at, step, error));
  ledger.events.push({ type: 'job', step: at.name, jobId: at.id, attempt: 1, state: 'error', error });
  ledger.facts.set(at.name, { state: 'error', result: null, error, outcome: null });
}

/**
 * The order that a step is: accepted with the job that waits for its end. Priority, context and strategy go on, the latter
 * unless the step says one.
 */
export function beginChild(
  ledger: Ledger,
  { id: parentJobId, attempt: parentAttempt, context }: OtherJob,
  step: OrderStep,
  begin: Beginning,
): void {
  const { clientId, createdBy, traceparent, params, priority } = ledger.order;
  ledger.openExtras().children.push({
    ...{ id: newId<OrderId>(), clientId, planId: step.planId, input: begin.input },
    params: { ...('strategy' in params ? { strategy: params['strategy'] ?? null } : {}), ...begin.params },
    ...{ parentJobId, parentAttempt, priority, createdBy, traceparent, context: context ?? null },
  });
}
