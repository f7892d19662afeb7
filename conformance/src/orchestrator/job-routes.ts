import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Problem, isId, jsonBytes, type BeApiOperations, type BlobId, type JsonValue } from '@connecta/contracts';
import { answer, inputOf } from '@connecta/runtime';
import { Router, type Request, type Response } from 'express';
import type { Claim, FakeBeApi } from './fake-be-api.ts';
import type { FakeJob } from './fake-job.ts';
import { present } from './worker-routes.ts';

/** Claims, reports and blobs. */
export function jobRoutes(fake: FakeBeApi): Router {
  const router = Router();
  router.post('/v1/jobs/claim', claimRoute(fake));
  for (const what of ['ack', 'start', 'complete', 'fail'] as const) {
    router.post(`/v1/jobs/:jobId/${what}`, (req, res) => report(fake, what, req, res));
  }
  router.post('/v1/jobs/:jobId/heartbeat', (req, res) => {
    const { body } = inputOf<BeApiOperations['beatJob']>(req);
    const job = shown(fake, req);
    job.note('heartbeat', body, 200);
    if (job.state === 'claimed') job.state = 'acked';
    const stale = job.verdict === 'stale' || job.refused || job.ended();
    const cancel = job.verdict === 'cancel';
    answer<BeApiOperations['beatJob'], 200>(res, 200, { cancel, stale: stale && !cancel });
  });
  router.get('/v1/jobs/:jobId/blobs/:blobId', (req, res) => {
    const job = shown(fake, req);
    job.note('read-blob', null, 200);
    const blob = job.blobs.get(req.params.blobId);
    if (!blob) throw new Problem('not_found', 'The job has no such blob.');
    res.setHeader('content-type', blob.ref.mediaType);
    res.setHeader('etag', `"${blob.ref.sha256}"`);
    const from = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0);
    if (from > 0 && from < blob.bytes.length) {
      res.status(206).setHeader('content-range', `bytes ${from}-${blob.bytes.length - 1}/${blob.bytes.length}`);
    }
    res.end(blob.bytes.subarray(from));
  });
  router.put('/v1/jobs/:jobId/blobs/:blobId', async (req, res) => {
    const job = shown(fake, req);
    const bytes = await buffer(req);
    const { blobId } = req.params;
    if (!isId(blobId)) throw new Problem('bad_request', 'The id is none');
    const told = req.headers['connecta-sha256'];
    if (told !== undefined && told !== createHash('sha256').update(bytes).digest('hex')) {
      throw new Problem('checksum_mismatch', 'The bytes do not match their hash');
    }
    const repeated = job.blobs.has(blobId);
    job.note('write-blob', blobId, 201);
    const { ref } = job.store(bytes, req.headers['content-type'] ?? 'application/octet-stream', blobId as BlobId);
    answer<BeApiOperations['writeJobBlob'], 200 | 201>(res, repeated ? 200 : 201, ref);
  });
  router.post('/v1/jobs/:jobId/logs', (req, res) => {
    const { body } = inputOf<BeApiOperations['appendJobLog']>(req);
    shown(fake, req);
    const next = body.first + body.lines.length;
    answer<BeApiOperations['appendJobLog'], 200>(res, 200, { next, full: false });
  });
  return router;
}

function claimRoute(fake: FakeBeApi) {
  return async (req: Request, res: Response): Promise<void> => {
    const { body } = inputOf<BeApiOperations['claimJobs']>(req);
    const { workerId, slots, requestId, waitMs } = body;
    const claim: Claim = { atMs: Date.now(), workerId, slots, requestId, waitMs, answered: false };
    fake.claims.push(claim);
    res.once('close', () => (claim.closedAtMs = Date.now()));
    res.once('finish', () => (claim.answered = true));
    const presence = present(fake, workerId);
    const running = fake.jobs.filter((job) => job.state === 'acked' || job.state === 'started').filter(counts);
    if (running.length + slots > presence.registration.slots) fake.overfull = true;
    const cuts = fake.cuts;
    const end = Date.now() + waitMs;
    let jobs = fake.given.get(requestId)?.filter((job) => !job.ended()) ?? [];
    while (jobs.length === 0 && !fake.drain) {
      present(fake, workerId);
      jobs = fake.take(slots);
      if (jobs.length > 0 || Date.now() >= end || res.destroyed || fake.cuts > cuts || fake.stopping.aborted) break;
      await sleep(10);
    }
    fake.given.set(requestId, jobs);
    for (const job of jobs) {
      if (job.state === 'waiting') job.state = 'claimed';
      job.claimedAtMs = Date.now();
    }
    if (fake.drain) fake.drainToldAtMs ??= Date.now();
    const drain = fake.drain ? { drain: true } : {};
    answer<BeApiOperations['claimJobs'], 200>(res, 200, { jobs: jobs.map((job) => toClaimed(fake, job)), ...drain });
  };
}

/** A job that still takes a slot: its worker was not told to stop it. */
function counts(job: FakeJob): boolean {
  return job.verdict === 'held' && !job.refused;
}

function toClaimed(fake: FakeBeApi, job: FakeJob) {
  const at = (ms: number): string => new Date(Date.now() + ms).toISOString();
  const { jobId, attempt, orderId } = job;
  return {
    ...{ ...job.message(), jobId, attempt, orderId, step: 'one', function: job.function },
    ...{ ackBy: at(fake.ackMs), startBy: at(60_000), completeBy: at(120_000) },
  };
}

function report(fake: FakeBeApi, what: 'ack' | 'start' | 'complete' | 'fail', req: Request, res: Response): void {
  const { body } = inputOf<BeApiOperations['completeJob']>(req);
  const job = shown(fake, req);
  const text = JSON.stringify(body ?? null);
  const refuse = (problem: Problem): never => {
    job.note(what, (body ?? null) as JsonValue, problem.status);
    throw problem;
  };
  if (what === 'complete' && jsonBytes((body as { value: JsonValue }).value) > 8192) {
    refuse(new Problem('too_large', 'A value over 8192 bytes of JSON is stored as a blob first.'));
  }
  if (job.refusesEnd && (what === 'complete' || what === 'fail')) job.refused = true;
  if (job.refused)
    refuse(new Problem('stale_attempt', 'Attempt 2 holds this job now.', { extensions: { winningAttempt: 2 } }));
  if (job.verdict === 'cancel')
    refuse(new Problem('already_ended', 'It was cancelled', { extensions: { state: 'cancelled' } }));
  if (job.ended() && job.endBody !== `${what} ${text}`) refuse(new Problem('already_ended', 'It has ended'));
  job.note(what, (body ?? null) as JsonValue, 200);
  if (what === 'complete' || what === 'fail') {
    job.state = what === 'complete' ? 'completed' : 'failed';
    job.endedAtMs = Date.now();
    job.endBody = `${what} ${text}`;
    answer<BeApiOperations['completeJob'], 200>(res, 200, { attempt: job.attempt, state: job.state });
    return;
  }
  if (!job.ended()) job.state = what === 'ack' && job.state !== 'started' ? 'acked' : 'started';
  const time = new Date(Date.now() + 60_000).toISOString();
  res.status(200).json(what === 'ack' ? { startBy: time } : { completeBy: time });
}

/** The job of a call, which must show its lease. @throws Problem not_found, lease_invalid */
function shown(fake: FakeBeApi, req: Request): FakeJob {
  const job = fake.find(String(req.params['jobId']));
  if (!job) throw new Problem('not_found', 'The job is gone.');
  if (req.headers['connecta-lease'] !== job.lease) {
    job.note('wrong-lease', null, 409);
    throw new Problem('lease_invalid', 'The lease is not one of this job and worker type.');
  }
  return job;
}
