import type { BeApiOperations, BlobRef, JsonValue, NewItems, WorkerInstanceId } from '@connecta/contracts';
import { answer, inputOf } from '@connecta/runtime';
import type { Claim } from '@connecta/store';
import { Router, type Request, type Response } from 'express';
import { accountOf } from '../authenticate.ts';
import type { ClaimJobs } from '../jobs/claim-jobs.ts';
import type { ShownLease } from '../jobs/held-job.ts';
import type { EndBody, JobReports } from '../jobs/job-reports.ts';

/** Jobs for workers that speak HTTP: claims, and reports on what was claimed. */
export function jobsRouter({ claims, reports }: { claims: ClaimJobs; reports: JobReports }): Router {
  const router = Router();

  router.post('/v1/jobs/claim', async (req, res) => {
    const { body } = inputOf<BeApiOperations['claimJobs']>(req);
    const { jobs, drain, cancel, stale } = await claims.claim({
      workerId: body.workerId as WorkerInstanceId,
      workerType: accountOf(req).workerType,
      requestId: body.requestId,
      slots: body.slots,
      waitMs: body.waitMs,
      left: leftOf(res),
    });
    const claimedAtMs = Date.now();
    answer<BeApiOperations['claimJobs'], 200>(res, 200, {
      jobs: jobs.map((claim) => toClaimedJob(claim, claimedAtMs)),
      ...(drain ? { drain } : {}),
      ...(cancel.length > 0 ? { cancel } : {}),
      ...(stale.length > 0 ? { stale } : {}),
    });
  });

  router.post('/v1/jobs/:jobId/ack', async (req, res) => {
    const { startBy } = await reports.ack(shownBy(req));
    answer<BeApiOperations['ackJob'], 200>(res, 200, { startBy: startBy.toISOString() });
  });

  router.post('/v1/jobs/:jobId/start', async (req, res) => {
    const { completeBy } = await reports.start(shownBy(req));
    answer<BeApiOperations['startJob'], 200>(res, 200, { completeBy: completeBy.toISOString() });
  });

  router.post('/v1/jobs/:jobId/heartbeat', async (req, res) => {
    const { body } = inputOf<BeApiOperations['beatJob']>(req);
    const { progress, context } = body;
    const told = await reports.beat(shownBy(req), { progress, context: context as BlobRef | undefined });
    answer<BeApiOperations['beatJob'], 200>(res, 200, told);
  });

  router.post('/v1/jobs/:jobId/complete', async (req, res) => {
    const { value, newItems, context, startedAt, functionVersion } = inputOf<BeApiOperations['completeJob']>(req).body;
    const end: EndBody = { type: 'completed', value: value as JsonValue, context: context as BlobRef | undefined };
    if (newItems !== undefined) end.newItems = newItems as NewItems;
    if (startedAt !== undefined) end.startedAt = startedAt;
    if (functionVersion !== undefined) end.functionVersion = functionVersion;
    answer<BeApiOperations['completeJob'], 200>(res, 200, await reports.end(shownBy(req), end));
  });

  router.post('/v1/jobs/:jobId/fail', async (req, res) => {
    const { kind, code, message, context, startedAt, retryAfterMs } = inputOf<BeApiOperations['failJob']>(req).body;
    const error = { kind, code, message };
    const end: EndBody = { type: 'failed', error, context: context as BlobRef | undefined, startedAt, retryAfterMs };
    answer<BeApiOperations['failJob'], 200>(res, 200, await reports.end(shownBy(req), end));
  });
  return router;
}

function shownBy(req: Request): ShownLease {
  const { path, header } = inputOf<BeApiOperations['ackJob']>(req);
  return { jobId: path.jobId, lease: header['connecta-lease'], workerType: accountOf(req).workerType };
}

/** Aborted when the caller goes away before its answer is sent. */
function leftOf(res: Response): AbortSignal {
  const left = new AbortController();
  res.once('close', () => left.abort());
  return left.signal;
}

type ClaimedJob = BeApiOperations['claimJobs']['responses'][200]['content']['application/json']['jobs'][number];

function toClaimedJob(claim: Claim, nowMs: number): ClaimedJob {
  const { message, jobId, attempt, orderId, step, ackBy, startMs, completeMs } = claim;
  return {
    ...message,
    ...{ jobId, attempt, orderId, step, function: claim.function },
    ackBy: ackBy.toISOString(),
    startBy: new Date(nowMs + startMs).toISOString(),
    completeBy: new Date(nowMs + completeMs).toISOString(),
  };
}
