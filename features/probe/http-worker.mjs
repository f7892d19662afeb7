/**
 * A worker of the type `probe` that speaks HTTP: adds 1 after MS, or looks at a tooth, and writes the same ledger as the
 * functions there. It knows `probe.block` as well, and keeps no other function's promise.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { note, takeEffect } from './ledger.ts';

const { BE_API_URL, SERVICE_ACCOUNT_KEY, INSTANCE, SLOTS = '2', MS = '60', PROBE_BLOCK_MS = '15000' } = process.env;
const running = new Map();
const self = { workerId: undefined, heartbeatMs: 1000 };

/** Again until be-api answers. */
async function call(path, body, lease) {
  for (;;) {
    const answer = await fetch(BE_API_URL + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${SERVICE_ACCOUNT_KEY}`,
        'content-type': 'application/json',
        ...(lease ? { 'connecta-lease': lease } : {}),
      },
      body: JSON.stringify(body),
    })
      .then(async (response) => ({ status: response.status, body: await response.json() }))
      .catch(() => null);
    if (answer !== null && answer.status < 500) return answer;
    await sleep(200);
  }
}

async function register() {
  const { body } = await call('/v1/workers', {
    ...{ type: 'probe', role: 'runner', instance: INSTANCE, version: '1', language: 'js', slots: Number(SLOTS) },
    ...{ owner: { team: 't', contact: 'c' }, functions: [], transport: 'http', protocolVersion: 1 },
  });
  Object.assign(self, body);
}

async function beat() {
  const known = self.workerId;
  const { status } = await call(`/v1/workers/${known}/heartbeat`, { freeSlots: 0, held: [...running.values()] });
  if ((status === 404 || status === 410) && known === self.workerId) await register();
}

async function run({ attempt, function: name, value }) {
  if (name === 'probe.block' && attempt === 1) {
    await sleep(300);
    for (const end = Date.now() + Number(PROBE_BLOCK_MS); Date.now() < end;);
  } else await sleep(Number(MS));
  const { neighbours, finds } = value;
  return neighbours ? { value: neighbours, ...(finds ? { newItems: finds } : {}) } : { value: value + 1 };
}

async function work(job) {
  const { jobId, attempt, lease } = job;
  running.set(jobId, { jobId, attempt });
  const { status } = await call(`/v1/jobs/${jobId}/start`, {}, lease);
  if (status === 200) {
    await note('begin', job);
    const result = await run(job);
    await takeEffect(job, result.value);
    await note('done', job);
    const answer = await call(`/v1/jobs/${jobId}/complete`, result, lease);
    await note(`answered-${answer.status}`, job);
  }
  running.delete(jobId);
}

await register();
setInterval(() => void beat(), self.heartbeatMs);
process.send?.('registered');
for (let request = 0; ; request++) {
  const slots = Number(SLOTS) - running.size;
  if (slots > 0) {
    const claim = { workerId: self.workerId, slots, waitMs: 2_000, requestId: `r${request}` };
    const { body } = await call('/v1/jobs/claim', claim);
    for (const job of body.jobs ?? []) void work(job);
    // Not to be asked again at once by a worker that is not known (any more).
    if (body.jobs === undefined) await sleep(200);
  } else await sleep(20);
}
