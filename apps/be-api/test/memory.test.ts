import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { leaseKey, newId, signLease, type JobId, type OrderId } from '@connecta/contracts';
import { choosePort, watchMemory } from '@connecta/embedded';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Harness } from './harness.ts';

const MIB = 1024 * 1024;
/** The whole promise is a gigabyte: `BLOB_TEST_MIB=1024`. */
const SIZE = Number(process.env['BLOB_TEST_MIB'] ?? 256) * MIB;
const MAX_GROWTH_MIB = 64;

let harness: Harness;
let gateway: ChildProcess;
let url: string;
let job: { id: JobId; orderId: OrderId };
beforeAll(async () => {
  harness = await Harness.start();
  job = await harness.job({ workerType: 'painter', state: 'started' });
  const port = await choosePort();
  url = `http://127.0.0.1:${port}`;
  gateway = spawn(process.execPath, [fileURLToPath(new URL('../src/main.ts', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...harness.environment, CONNECTA_BE_PORT: String(port), LOG_LEVEL: 'fatal' },
  });
  for (let tries = 0; tries < 200; tries++) {
    if (
      await fetch(`${url}/ready`).then(
        (res) => res.ok,
        () => false,
      )
    )
      break;
    await sleep(100);
  }
  await transfer(3 * MIB);
}, 60_000);
afterAll(async () => {
  gateway.kill('SIGKILL');
  await once(gateway, 'exit');
  await harness.close();
});

test('a large blob of a job passes in and out in bounded memory', async () => {
  const growth = await watchMemory(gateway.pid ?? 0, () => transfer(SIZE));
  const [before, peak] = [growth.beforeMib, growth.peakMib].map((mib) => mib.toFixed(0));
  process.stdout.write(`PUT and GET of ${SIZE / MIB} MiB: ${before} → ${peak} MiB resident\n`);
  expect(growth.growthMib).toBeLessThan(MAX_GROWTH_MIB);
}, 300_000);

async function* pattern(size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < size; at += 65_536) yield Buffer.alloc(Math.min(65_536, size - at), (at / 65_536) % 251);
}

async function transfer(size: number): Promise<void> {
  const path = `/v1/jobs/${job.id}/blobs/${newId()}`;
  const headers = { 'content-type': 'application/dicom', 'content-length': String(size) };
  const made = await send('PUT', path, { headers, body: pattern(size) });
  expect(made.status).toBe(201);
  const read = await send('GET', path);
  expect(read.status).toBe(200);
  const hash = createHash('sha256');
  for await (const chunk of pattern(size)) hash.update(chunk);
  expect(read.sha256).toBe(hash.digest('hex'));
}

async function send(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: AsyncIterable<Buffer> } = {},
): Promise<{ status: number | undefined; sha256: string }> {
  const lease = signLease(leaseKey(harness.leaseKey), {
    ...{ orderId: job.orderId, jobId: job.id, attempt: 1, workerType: 'painter' },
    expiresAtMs: Date.now() + 600_000,
  });
  const headers = { authorization: `Bearer ${harness.keys.painter}`, 'connecta-lease': lease, ...options.headers };
  const req = request(new URL(path, url), { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    req.once('response', resolve).once('error', reject),
  );
  if (options.body) await pipeline(Readable.from(options.body), req);
  else req.end();
  const res = await answered;
  const hash = createHash('sha256');
  await pipeline(res, new Writable({ write: (chunk: Buffer, _, done) => done(void hash.update(chunk)) }));
  return { status: res.statusCode, sha256: hash.digest('hex') };
}
