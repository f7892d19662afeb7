/** A worker of the type `probe` that speaks HTTP: adds 1 after MS, and writes the same ledger as the functions there. */
import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { BE_API_URL, SERVICE_ACCOUNT_KEY, PROBE_LEDGER = '/dev/null', INSTANCE, SLOTS = '2', MS = '60' } = process.env;
const running = new Map();

async function call(path, body, lease) {
  for (;;) {
    const response = await fetch(BE_API_URL + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${SERVICE_ACCOUNT_KEY}`,
        'content-type': 'application/json',
        ...(lease ? { 'connecta-lease': lease } : {}),
      },
      body: JSON.stringify(body),
    }).catch(() => null);
    if (response !== null && response.status < 500) return { status: response.status, body: await response.json() };
    await sleep(200);
  }
}

async function work({ jobId, attempt, lease, value }) {
  running.set(jobId, { jobId, attempt });
  const { status } = await call(`/v1/jobs/${jobId}/start`, {}, lease);
  if (status === 200) {
    await appendFile(PROBE_LEDGER, `begin ${jobId} ${attempt}\n`);
    await sleep(Number(MS));
    await appendFile(PROBE_LEDGER, `done ${jobId} ${attempt}\n`);
    await call(`/v1/jobs/${jobId}/complete`, { value: value + 1 }, lease);
  }
  running.delete(jobId);
}

const { body: registered } = await call('/v1/workers', {
  ...{ type: 'probe', role: 'runner', instance: INSTANCE, version: '1', language: 'js', slots: Number(SLOTS) },
  ...{ owner: { team: 't', contact: 'c' }, functions: [], transport: 'http', protocolVersion: 1 },
});
const { workerId, heartbeatMs } = registered;
const beat = () => call(`/v1/workers/${workerId}/heartbeat`, { freeSlots: 0, held: [...running.values()] });
setInterval(() => void beat(), heartbeatMs);
process.send?.('registered');
for (let request = 0; ; request++) {
  const slots = Number(SLOTS) - running.size;
  if (slots > 0) {
    const { body } = await call('/v1/jobs/claim', { workerId, slots, waitMs: 2_000, requestId: `r${request}` });
    for (const job of body.jobs ?? []) void work(job);
  } else await sleep(20);
}
