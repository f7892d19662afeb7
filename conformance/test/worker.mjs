/**
 * A worker with one fault (BREAK), for the kit to find: without one it keeps every rule. Its functions: `echo`, `slow`,
 * `fail`, `size` (of a blob), `big`, `count` (slowly, with checkpoints).
 */
import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveProfiles } from './profile-api.mjs';

const { BE_API_URL, SERVICE_ACCOUNT_KEY, SLOTS, WORKER_API_PORT, WORKER_API_URL, BREAK = '' } = process.env;
const broken = (name) => BREAK === name;
const jobs = new Map();
const seen = new Set();
const self = { workerId: undefined, heartbeatMs: 1000, draining: false, requestId: randomUUID() };
process.on('SIGTERM', () => (broken('dies-on-sigterm') ? process.exit(1) : (self.draining = true)));

class Away extends Error {}
class BrokenBlob extends Error {}

const names = ['echo', 'slow', 'fail', 'size', 'big', 'count'];
const functions = names.map((name) => ({
  ...{ name, version: '1', inputSchema: {}, outputSchema: {} },
  settingsSchema: { type: 'object', properties: { n: { type: 'number' } } },
}));
const profiles = await serveProfiles({
  port: Number(WORKER_API_PORT),
  functions,
  broken,
  onChange: () => void insist('PUT', '/v1/worker-types/test/profiles', { profiles: profiles.copies() }),
});

async function call(method, path, body, lease) {
  let response;
  try {
    response = await fetch(BE_API_URL + path, {
      method,
      headers: {
        authorization: `Bearer ${SERVICE_ACCOUNT_KEY}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(lease && !(broken('no-lease') && path.endsWith('/complete')) ? { 'connecta-lease': lease } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status >= 500) throw new Away(`${response.status}`);
    return { status: response.status, body: text === '' ? null : JSON.parse(text) };
  } catch (error) {
    throw new Away(String(error));
  }
}

/** Again until it is answered. */
async function insist(...args) {
  for (let failures = 0; ; failures++) {
    try {
      return await call(...args);
    } catch (error) {
      if (!(error instanceof Away) || failures > 50) throw error;
      if (broken('dies-when-away') && self.workerId) process.exit(3);
      await sleep(broken('hammers') ? 5 : Math.min(250 * 2 ** failures, 3000));
    }
  }
}

async function register() {
  const body = {
    ...{
      type: 'test',
      role: 'both',
      apiUrl: WORKER_API_URL,
      profiles: profiles.copies(),
      instance: 'test-1',
      version: '1',
      language: 'js',
      slots: Number(SLOTS),
    },
    ...{ owner: { team: 't', contact: 'c' }, functions, transport: 'http', protocolVersion: 1 },
    ...(broken('invalid-registration') ? { colour: 'blue' } : {}),
  };
  const { status, body: answer } = await insist('POST', '/v1/workers', body);
  if (status !== 201) process.exit(4);
  self.workerId = answer.workerId;
  self.heartbeatMs = answer.heartbeatMs;
}

async function beat() {
  for (;;) {
    await sleep(self.heartbeatMs);
    if (broken('no-heartbeat') || broken('falls-silent')) continue;
    const shown = [...jobs.values()].filter(({ moves }) => !(moves && broken('forgets-what-it-reads')));
    const held = broken('holds-nothing') ? [] : shown.map(({ jobId, attempt }) => ({ jobId, attempt }));
    const known = self.workerId;
    const answer = await call('POST', `/v1/workers/${known}/heartbeat`, { freeSlots: 0, held }).catch(() => null);
    if (answer?.status === 410 && known === self.workerId && !broken('never-registers-again')) await register();
    if (answer?.status !== 200) continue;
    if (answer.body.drain && !broken('ignores-drain')) self.draining = true;
    const { cancel, stale } = answer.body;
    const stop = [...(broken('ignores-cancel') ? [] : cancel), ...(broken('ignores-stale') ? [] : stale)];
    for (const { jobId } of stop) jobs.get(jobId)?.stop.abort();
  }
}

async function readBlob(job, { blobId, ...blob } = { blobId: job.blobId, ...job.blob }) {
  const { jobId, lease } = job;
  const most = broken('gives-a-blob-up') ? 1 : 8;
  job.moves = true;
  for (let tries = 0; tries < most; tries++) {
    try {
      const response = await fetch(`${BE_API_URL}/v1/jobs/${jobId}/blobs/${blobId}`, {
        headers: { authorization: `Bearer ${SERVICE_ACCOUNT_KEY}`, 'connecta-lease': lease },
      });
      const bytes = Buffer.from(await response.arrayBuffer());
      if (response.ok && (broken('trusts-bytes') || sha256(bytes) === blob.sha256)) return bytes;
    } catch {
      // It broke off: again.
    }
    await sleep(100);
  }
  throw new BrokenBlob('the blob could not be read as its reference has it');
}

/** Counts to five, a second each, and leaves how far it is after each. */
async function count(job) {
  let done = 0;
  if (job.context && !broken('forgets-its-checkpoint')) done = Number(await readBlob(job, job.context));
  while (done < 5) {
    await sleep(700, undefined, { signal: job.stop.signal });
    done++;
    const context = await writeBlob(job, Buffer.from(String(done)));
    if (!broken('no-checkpoint')) await insist('POST', `/v1/jobs/${job.jobId}/heartbeat`, { context }, job.lease);
  }
  return done;
}

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

async function writeBlob({ jobId, lease }, bytes) {
  let id = randomUUID();
  for (;;) {
    try {
      const response = await fetch(`${BE_API_URL}/v1/jobs/${jobId}/blobs/${id}`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${SERVICE_ACCOUNT_KEY}`,
          'connecta-lease': lease,
          'content-type': 'text/plain',
        },
        body: bytes,
      });
      if (response.ok) return await response.json();
    } catch {
      // Its answer was lost: again.
    }
    if (broken('new-blob-id')) id = randomUUID();
    await sleep(100);
  }
}

async function run(job) {
  switch (job.function) {
    case 'slow':
      await sleep(4500, undefined, { signal: job.stop.signal });
      return job.value;
    case 'count':
      return count(job);
    case 'fail':
      throw new Error('as it must');
    case 'size':
      return (await readBlob(job)).length;
    case 'big':
      return broken('big-inline') ? 'x'.repeat(9000) : writeBlob(job, Buffer.alloc(9000, 120));
    default:
      return broken('wrong-result') ? null : job.value;
  }
}

async function work(message) {
  const { jobId, attempt, lease } = message;
  if (broken('rejects-new-members') && 'addedByALaterVersion' in message) return;
  const key = `${jobId} ${attempt}`;
  if (seen.has(key) && !broken('runs-twice')) return;
  seen.add(key);
  const job = { ...message, stop: new AbortController() };
  jobs.set(broken('runs-twice') ? randomUUID() : jobId, job);
  try {
    if (broken('no-ack')) await sleep(7000);
    const ack = await insist('POST', `/v1/jobs/${jobId}/ack`, undefined, lease);
    if (ack.status !== 200 && !broken('ignores-refused-ack')) return;
    let end;
    try {
      end = ['complete', { value: await run(job) }];
    } catch (error) {
      if (job.stop.signal.aborted) return;
      end = ['fail', broken('bad-kind') ? { kind: 'oops', code: 'x', message: 'm' } : failure(error)];
    }
    await report(job, end);
  } finally {
    for (const [id, one] of jobs) if (one === job) jobs.delete(id);
  }
}

function failure(error) {
  const passes = error instanceof BrokenBlob && !broken('fails-for-good');
  return { kind: passes ? 'retryable' : 'permanent', code: 'failed', message: error.message };
}

async function report({ jobId, lease }, [what, body]) {
  for (let tries = 0; tries < 30; tries++) {
    try {
      const sent = broken('changes-the-end') && what === 'complete' ? { ...body, value: [tries, body.value] } : body;
      const { status } = await call('POST', `/v1/jobs/${jobId}/${what}`, sent, lease);
      if (status === 409 && broken('insists-on-409')) throw new Away('409');
      return;
    } catch {
      if (broken('gives-an-end-up')) return;
      await sleep(300);
    }
  }
}

await register();
void beat();
while (!self.draining) {
  const slots = broken('claims-too-much') ? 5 : Number(SLOTS) - jobs.size;
  if (slots <= 0) {
    await sleep(50);
    continue;
  }
  if (broken('falls-silent')) await sleep(self.heartbeatMs * 3.5);
  const known = self.workerId;
  const waitMs = broken('invalid-claim') ? 90_000 : 1_000;
  let answer;
  try {
    answer = await call('POST', '/v1/jobs/claim', { workerId: known, slots, waitMs, requestId: self.requestId });
  } catch {
    if (broken('dies-when-away')) process.exit(3);
    if (broken('new-request-id')) self.requestId = randomUUID();
    await sleep(broken('hammers') ? 5 : 400);
    continue;
  }
  if (!broken('same-request-id')) self.requestId = randomUUID();
  if (answer.status === 410 && known === self.workerId && !broken('never-registers-again')) await register();
  if (answer.status !== 200) await sleep(100);
  if (answer.body?.drain && !broken('ignores-drain')) self.draining = true;
  for (const message of answer.body?.jobs ?? []) void work(message);
}
while (jobs.size > 0) await sleep(20);
if (!broken('does-not-leave')) await insist('DELETE', `/v1/workers/${self.workerId}`);
process.exit(0);
