import { Problem, isId, readLease, type BeApiOperations, type Lease, type LogLine } from '@connecta/contracts';
import { answer, inputOf } from '@connecta/runtime';
import { appendJobLog } from '@connecta/store';
import { Router } from 'express';
import { accountOf } from '../authenticate.ts';
import type { LeaseCheck } from '../jobs/held-job.ts';

/** What functions log, kept with their attempts. */
export function jobLogsRouter(parts: LeaseCheck): Router {
  const router = Router();
  router.post('/v1/jobs/:jobId/logs', async (req, res) => {
    const { path, header, body } = inputOf<BeApiOperations['appendJobLog']>(req);
    const shown = { jobId: path.jobId, lease: header['connecta-lease'], workerType: accountOf(req).workerType };
    const { jobId, attempt } = leaseOf(parts, shown);
    const kept = await appendJobLog(parts.store, { jobId, attempt, first: body.first, lines: body.lines as LogLine[] });
    if (!kept) throw new Problem('not_found', 'There is no such attempt.');
    answer<BeApiOperations['appendJobLog'], 200>(res, 200, kept);
  });
  return router;
}

/**
 * The lease itself is enough: the last lines of an attempt come when it has ended, and change nothing that counts.
 *
 * @throws Problem lease_invalid
 */
function leaseOf({ leaseKey }: LeaseCheck, shown: { jobId: string; lease: string; workerType: string }): Lease {
  const lease = readLease(leaseKey, shown.lease);
  if (!lease || lease.workerType !== shown.workerType || lease.jobId !== shown.jobId || !isId(lease.jobId)) {
    throw new Problem('lease_invalid', 'The lease is not one of this job and worker type.');
  }
  if (lease.expiresAtMs <= Date.now()) throw new Problem('lease_invalid', 'The lease has expired.');
  return lease;
}
