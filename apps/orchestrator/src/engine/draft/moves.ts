import type { BlobRef, JobError } from '@connecta/contracts';
import type { RetryDecision, WaitEnd } from '@connecta/domain';
import type { EngineJob, WaitingJob } from '@connecta/store';
import { fromOf, headOf, type Ledger } from './ledger.ts';

/** What an attempt left behind that ended without a result. */
export interface Remains {
  context?: BlobRef | null;
  startedAt?: string | null;
}

/** Tries a job again under a new attempt (at once or after its backoff), or ends it in error. */
export function retryJob(ledger: Ledger, job: EngineJob, decision: RetryDecision, remains: Remains = {}): void {
  const { context = null, startedAt = null } = remains;
  const { error, spent } = decision;
  const move = { ...fromOf(job), ...spent, error, context, startedAt, instance: job.instance };
  if (decision.next === 'end') {
    ledger.openExtras().moves.push({ ...move, state: 'error', attempt: job.attempt, delayMs: 0 });
    ledger.events.push({ ...headOf(job), state: 'error', error });
    ledger.fail(job, error);
  } else if (decision.delayMs > 0) {
    ledger.openExtras().moves.push({ ...move, state: 'pending', attempt: job.attempt, delayMs: decision.delayMs });
    const notBefore = new Date(Date.now() + decision.delayMs).toISOString();
    ledger.events.push({ ...headOf(job), state: 'pending', error, notBefore });
    ledger.mark(job.step, 'pending', job.item);
  } else {
    invokeJobAgain(ledger, job, { error, context, ...spent });
  }
}

/** What a new attempt takes over from the one before. */
export interface Inheritance {
  error: JobError | null;
  context: BlobRef | null;
  failed: number;
  lost: number;
  crashed: number;
  handedBack: number;
}

/** Sends a job out under its next attempt. */
export function invokeJobAgain(ledger: Ledger, job: EngineJob, change: Inheritance): void {
  const attempt = job.attempt + 1;
  const next = { state: 'invoked', attempt, startedAt: null, instance: null, delayMs: 0 } as const;
  ledger.openExtras().moves.push({ ...fromOf(job), ...change, ...next });
  ledger.mark(job.step, 'invoked', job.item);
  ledger.events.push({
    ...headOf(job),
    attempt,
    state: 'invoked',
    ...(change.error === null ? {} : { error: change.error }),
  });
  ledger.command(job, attempt, change.context ?? job.context);
}

/** What is known of a wait's end beside how it ended: who answered, and the context that its own order left. */
export interface WaitTold {
  by?: string | undefined;
  context?: BlobRef | null | undefined;
}

/** Ends a job that waited for an answer, a time or an order. Without a context of its own it passes on what it was given. */
export function endWaitingJob(ledger: Ledger, job: WaitingJob, end: WaitEnd, { by, context }: WaitTold = {}): void {
  const { id } = job;
  const whose = by === undefined ? {} : { by };
  if (end.state === 'error') {
    ledger
      .openExtras()
      .waitEnds.push({ id, state: 'error', result: null, error: end.error, outcome: null, context: null });
    ledger.events.push({ ...headOf(job), state: 'error', error: end.error, ...whose });
    ledger.fail(job, end.error);
    return;
  }
  const { result, outcome = null } = end;
  const left = context ?? job.contextIn?.context ?? null;
  ledger.openExtras().waitEnds.push({ id, state: 'completed', result, error: null, outcome, context: left });
  ledger.events.push({ ...headOf(job), state: 'completed', ...(outcome ? { outcome } : {}), ...whose });
  ledger.complete({ ...job, context: left }, result, outcome);
}
