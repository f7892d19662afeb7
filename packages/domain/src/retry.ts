import { RETRY_CAUSES, type EngineErrorCode, type JobError, type RetryCause } from '@connecta/contracts';

/** When a job is tried again, and when no more. */
export interface RetryPolicy {
  /** Runs that may fail before the job ends in error. */
  maxFailed: number;
  /** Deliveries that may be lost; counted apart from failed runs, for a lost worker says nothing about the work. */
  maxLost: number;
  /** The first backoff; each later one is `factor` times longer, up to `maxBackoffMs`. */
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
  backoffMs: 1000,
  factor: 2,
  maxBackoffMs: 60_000,
  jitter: true,
  on: RETRY_CAUSES,
};

/** What ended an attempt without a result. */
export type AttemptEnd =
  | { kind: 'failed'; error: JobError; retryAfterMs?: number | undefined }
  | { kind: 'lost'; message: string }
  | {
      kind: 'timeout';
      code: Extract<EngineErrorCode, 'ack_timeout' | 'start_timeout' | 'complete_timeout'>;
      message: string;
    };

/** The attempts that a job has spent so far. */
export interface Spent {
  failed: number;
  lost: number;
}

export type RetryDecision =
  { next: 'again'; delayMs: number; spent: Spent; error: JobError } | { next: 'end'; spent: Spent; error: JobError };

/** Decides what follows an attempt that ended without a result. `random` (0 ≤ r < 1) spreads the backoff. */
export function decideRetry(end: AttemptEnd, before: Spent, policy: RetryPolicy, random: number): RetryDecision {
  const error = errorOf(end);
  // A worker that started and did not finish in time failed; one that never took the job lost it.
  const failedRun = end.kind === 'failed' || (end.kind === 'timeout' && end.code === 'complete_timeout');
  const spent = failedRun ? { ...before, failed: before.failed + 1 } : { ...before, lost: before.lost + 1 };
  const mayGoOn =
    error.kind === 'retryable' &&
    policy.on.includes(causeOf(end)) &&
    spent.failed < policy.maxFailed &&
    spent.lost <= policy.maxLost;
  if (!mayGoOn) return { next: 'end', spent, error };
  const delayMs = failedRun ? Math.max(backoff(spent.failed, policy, random), retryAfterOf(end)) : 0;
  return { next: 'again', delayMs, spent, error };
}

/** The n-th backoff (n from 1), in milliseconds: exponential, capped, with jitter over its upper half by `random`. */
export function backoff(n: number, policy: RetryPolicy, random: number): number {
  const full = Math.min(policy.backoffMs * policy.factor ** (n - 1), policy.maxBackoffMs);
  return policy.jitter ? Math.round(full / 2 + (full / 2) * random) : Math.round(full);
}

function causeOf(end: AttemptEnd): RetryCause {
  return end.kind === 'failed' ? 'retryable' : end.kind;
}

function errorOf(end: AttemptEnd): JobError {
  if (end.kind === 'failed') return end.error;
  return { kind: 'retryable', code: end.kind === 'lost' ? 'lost' : end.code, message: end.message };
}

function retryAfterOf(end: AttemptEnd): number {
  return end.kind === 'failed' ? (end.retryAfterMs ?? 0) : 0;
}
