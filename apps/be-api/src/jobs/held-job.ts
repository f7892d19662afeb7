import type { KeyObject } from 'node:crypto';
import { OPEN_JOB_STATES, Problem, isId, readLease, type JobId, type JobState } from '@connecta/contracts';
import { findJobForBlobs, type JobForBlobs, type Store } from '@connecta/store';

export interface LeaseCheck {
  store: Store;
  leaseKey: KeyObject;
}

/** A job that is held under the lease that was shown. */
export interface HeldJob extends JobForBlobs {
  id: JobId;
}

/**
 * The job that a lease speaks of: signed by us, of the caller's worker type, not expired, and of the attempt that runs
 * now. Costs one indexed query.
 *
 * @throws Problem lease_invalid, stale_attempt (with `winningAttempt`), already_ended, not_found
 */
export async function heldJob(
  parts: LeaseCheck,
  shown: { jobId: string; lease: string; workerType: string },
): Promise<HeldJob> {
  const lease = readLease(parts.leaseKey, shown.lease);
  if (!lease || lease.workerType !== shown.workerType || lease.jobId !== shown.jobId || !isId(lease.jobId)) {
    throw new Problem('lease_invalid', 'The lease is not one of this job and worker type.');
  }
  if (lease.expiresAtMs <= Date.now()) throw new Problem('lease_invalid', 'The lease has expired.');
  const job = await findJobForBlobs(parts.store, lease.jobId);
  if (!job) throw new Problem('not_found', 'The job is gone.');
  if (job.attempt !== lease.attempt) {
    throw new Problem('stale_attempt', `Attempt ${job.attempt} holds this job now.`, {
      extensions: { winningAttempt: job.attempt },
    });
  }
  if (!isOpen(job.state) || job.orderState !== 'active') {
    throw new Problem('already_ended', 'The job is not running any more.', { extensions: { state: job.state } });
  }
  return { ...job, id: lease.jobId };
}

function isOpen(state: JobState): boolean {
  return (OPEN_JOB_STATES as readonly JobState[]).includes(state);
}
