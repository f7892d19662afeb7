import {
  RETRY_CAUSES,
  RUNNER_STOPPED,
  type EngineErrorCode,
  type JobError,
  type RetryCause,
} from '@connecta/contracts';

/** When a job is tried again, and when no more. */
export interface RetryPolicy {
  /** Runs that may fail before the job ends in error. */
  maxFailed: number;
  /** Deliveries that may be lost; counted apart from failed runs, for a lost worker says nothing about the work. */
  maxLost: number;
  /** Deliveries that were lost together with the worker that had them: so many, and the job is poison. */
  maxCrashed: number;
  /** Deliveries that workers may give back because they have to stop; from then on each counts as a failed run. */
  maxHandedBack: number;
  /** The first backoff; each later one is `factor` times longer (1: all alike), up to `maxBackoffMs`. */
  backoffMs: number;
  factor: number;
  maxBackoffMs: number;
  /** Spreads each backoff over its upper half, so that jobs that failed together do not come back together. */
  jitter: boolean;
  /** What is tried again at all. */
  on: readonly RetryCause[];
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxFailed: 3,
  maxLost: 5,
  maxCrashed: 3,
  maxHandedBack: 20,
  backoffMs: 1000,
  factor: 2,
  maxBackoffMs: 60_000,
  jitter: true,
  on: RETRY_CAUSES,
};

type Backoff = Pick<RetryPolicy, 'backoffMs' | 'factor' | 'maxBackoffMs' | 'jitter'>;

/** What ended an attempt without a result. */
export type AttemptEnd =
  | { kind: 'failed'; error: JobError; retryAfterMs?: number | undefined }
  /** `crashed`: the worker that had it was lost as well. */
  | { kind: 'lost'; message: string; crashed?: boolean }
  | {
      kind: 'timeout';
      code: Extract<EngineErrorCode, 'ack_timeout' | 'start_timeout' | 'complete_timeout'>;
      message: string;
    };

/** The attempts that a job has spent so far. `crashed` are among the `lost`; `handedBack` are neither lost nor failed. */
export interface Spent {
  failed: number;
  lost: number;
  crashed: number;
  handedBack: number;
}

export type RetryDecision =
  { next: 'again'; delayMs: number; spent: Spent; error: JobError } | { next: 'end'; spent: Spent; error: JobError };

/**
 * Decides what follows an attempt that ended without a result. `random` (0 ≤ r < 1) spreads the backoff where the policy
 * says so.
 */
export function decideRetry(end: AttemptEnd, before: Spent, policy: RetryPolicy, random: number): RetryDecision {
  const handedBack = isHandedBack(end, before, policy);
  const spent = handedBack ? handBack(before) : spentAfter(end, before);
  const error = errorOf(end, spent, policy);
  const causes: readonly RetryCause[] = handedBack ? ['retryable', 'lost'] : [causeOf(end)];
  if (!mayGoOn(error, causes, spent, policy)) return { next: 'end', spent, error };
  const delayMs = handedBack ? retryAfterOf(end) : delayOf(end, spent, policy, random);
  return { next: 'again', delayMs, spent, error };
}

/** The n-th backoff (n from 1), in milliseconds: capped, over its upper half by `random` with jitter. */
export function backoff(n: number, policy: Backoff, random: number): number {
  const full = Math.min(policy.backoffMs * policy.factor ** (n - 1), policy.maxBackoffMs);
  return Math.round(policy.jitter ? full / 2 + (full / 2) * random : full);
}

/** A worker that has to stop says so by its code. A deploy says nothing about the work, unless it never ends. */
function isHandedBack(end: AttemptEnd, { handedBack }: Spent, { maxHandedBack }: RetryPolicy): boolean {
  const stopped = end.kind === 'failed' && end.error.kind === 'retryable' && end.error.code === RUNNER_STOPPED;
  return stopped && handedBack < maxHandedBack;
}

function handBack({ failed, lost, crashed, handedBack }: Spent): Spent {
  return { failed, lost, crashed, handedBack: handedBack + 1 };
}

/** A worker that started and did not finish in time failed; one that never took the job lost it. */
function isFailedRun(end: AttemptEnd): boolean {
  return end.kind === 'failed' || (end.kind === 'timeout' && end.code === 'complete_timeout');
}

function spentAfter(end: AttemptEnd, { failed, lost, crashed, handedBack }: Spent): Spent {
  if (isFailedRun(end)) return { failed: failed + 1, lost, crashed, handedBack };
  return { failed, lost: lost + 1, crashed: end.kind === 'lost' && end.crashed ? crashed + 1 : crashed, handedBack };
}

function causeOf({ kind }: AttemptEnd): RetryCause {
  return kind === 'failed' ? 'retryable' : kind;
}

function errorOf(end: AttemptEnd, spent: Spent, policy: RetryPolicy): JobError {
  if (end.kind === 'failed') return end.error;
  if (end.kind === 'timeout') return { kind: 'retryable', code: end.code, message: end.message };
  if (end.crashed && spent.crashed >= policy.maxCrashed) {
    const message = `${spent.crashed} workers were lost while they had this job; it is set aside until it is retried`;
    return { kind: 'permanent', code: 'poison', message };
  }
  return { kind: 'retryable', code: 'lost', message: end.message };
}

function mayGoOn(error: JobError, causes: readonly RetryCause[], spent: Spent, policy: RetryPolicy): boolean {
  return (
    error.kind === 'retryable' &&
    causes.some((cause) => policy.on.includes(cause)) &&
    spent.failed < policy.maxFailed &&
    spent.lost - spent.crashed <= policy.maxLost
  );
}

/**
 * A lost delivery is sent again at once. Only one that took a second worker with it waits: with other jobs that were
 * there by chance it must not come back together, or they would be taken for poison, too.
 */
function delayOf(end: AttemptEnd, spent: Spent, policy: RetryPolicy, random: number): number {
  if (isFailedRun(end)) return Math.max(backoff(spent.failed, policy, random), retryAfterOf(end));
  const suspect = end.kind === 'lost' && end.crashed && spent.crashed > 1;
  return suspect ? backoff(spent.crashed - 1, { ...policy, jitter: true }, random) : 0;
}

function retryAfterOf(end: AttemptEnd): number {
  return end.kind === 'failed' ? (end.retryAfterMs ?? 0) : 0;
}
