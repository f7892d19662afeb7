import type { KeyObject } from 'node:crypto';
import {
  OPEN_JOB_STATES,
  Problem,
  isId,
  readLease,
  type JobId,
  type JobState,
  type Lease,
  type OrderState,
} from '@connecta/contracts';
import { findJobForBlobs, type JobForBlobs, type Store } from '@connecta/store';

export interface LeaseCheck {
  store: Store;
  leaseKey: KeyObject;
}

/** A job that is held under the lease that was shown. */
export interface HeldJob extends JobForBlobs {
  id: JobId;
}

/** A lease as a request shows it. */
export interface ShownLease {
  jobId: string;
  lease: string;
  workerType: string;
}

/**
 * The lease of a request: signed by us, of this job and of the caller's worker type, not expired.
 *
 * @throws Problem lease_invalid
 */
export function leaseOf(key: KeyObject, shown: ShownLease): Lease {
  const lease = readLease(key, shown.lease);
  if (!lease || lease.workerType !== shown.workerType || lease.jobId !== shown.jobId || !isId(lease.jobId)) {
    throw new Problem('lease_invalid', 'The lease is not one of this job and worker type.');
  }
  if (lease.expiresAtMs <= Date.now()) throw new Problem('lease_invalid', 'The lease has expired.');
  return lease;
}

/**
 * The job that a lease speaks of, while its attempt is the one that runs now. Costs one indexed query.
 *
 * @throws Problem lease_invalid, stale_attempt and already_ended (with `winningAttempt`), not_found
 */
export async function heldJob(parts: LeaseCheck, shown: ShownLease): Promise<HeldJob> {
  const lease = leaseOf(parts.leaseKey, shown);
  const job = await findJobForBlobs(parts.store, lease.jobId);
  if (!job) throw new Problem('not_found', 'The job is gone.');
  const refusal = refusalOf(job, lease.attempt);
  if (refusal) throw refusal;
  return { ...job, id: lease.jobId };
}

/** Why an attempt may not go on; null while it may. */
export function refusalOf(
  job: { attempt: number; state: JobState; orderState: OrderState },
  attempt: number,
): Problem | null {
  const winningAttempt = job.attempt;
  if (winningAttempt !== attempt) {
    return new Problem('stale_attempt', `Attempt ${winningAttempt} holds this job now.`, {
      extensions: { winningAttempt },
    });
  }
  if (isOpen(job.state) && job.orderState === 'active') return null;
  const state = isOpen(job.state) ? job.orderState : job.state;
  return new Problem('already_ended', `The job is not running any more: it is ${state}.`, {
    extensions: { state, winningAttempt },
  });
}

function isOpen(state: JobState): boolean {
  return (OPEN_JOB_STATES as readonly JobState[]).includes(state);
}
