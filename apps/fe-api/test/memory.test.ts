import { createHash, type Hash } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { watchMemory, type MemoryGrowth } from '@connecta/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';

const MIB = 1024 * 1024;
/** The whole promise is a gigabyte: `BLOB_TEST_MIB=1024`. */
const SIZE = Number(process.env['BLOB_TEST_MIB'] ?? 256) * MIB;
const MAX_GROWTH_MIB = 64;

let world: BytesWorld;
let server: { url: string; pid: number };
beforeAll(async () => {
  world = await openBytesWorld();
  server = await world.process();
  // The first request of each kind compiles and loads what every later one shares.
  const small = await upload(3 * MIB);
  await download(small, 3 * MIB);
  await tusUpload(5 * MIB, 5 * MIB);
});
afterAll(() => world.close());

const report = (what: string, growth: MemoryGrowth): void => {
  const [before, peak] = [growth.beforeMib, growth.peakMib].map((mib) => mib.toFixed(0));
  process.stdout.write(`${what} of ${SIZE / MIB} MiB: ${before} → ${peak} MiB resident\n`);
};

describe('a large blob', () => {
  test('passes through upload and download in bounded memory', async () => {
    let id = '';
    const into = await watchMemory(server.pid, async () => (id = await upload(SIZE)));
    report('POST', into);
    const out = await watchMemory(server.pid, () => download(id, SIZE));
    report('GET', out);
    expect(into.growthMib).toBeLessThan(MAX_GROWTH_MIB);
    expect(out.peakMib - into.beforeMib).toBeLessThan(MAX_GROWTH_MIB);
  }, 300_000);

  test('passes through a resumable upload in bounded memory', async () => {
    let id = '';
    const growth = await watchMemory(server.pid, async () => (id = await tusUpload(SIZE, SIZE / 4)));
    report('tus', growth);
    await download(id, SIZE);
    expect(growth.growthMib).toBeLessThan(MAX_GROWTH_MIB);
  }, 300_000);
});

async function* pattern(from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at < to;) {
    const chunk = Buffer.alloc(Math.min(65_536, to - at), Math.floor(at / 65_536) % 251);
    at += chunk.length;
    yield chunk;
  }
}

async function hashOf(bytes: AsyncIterable<Buffer>): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) hash.update(chunk);
  return hash;
}

async function send(
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: AsyncIterable<Buffer>; to?: Writable } = {},
): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const headers = { authorization: 'Bearer own', ...options.headers };
  const req = request(new URL(path, server.url), { method, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    req.once('response', resolve).once('error', reject),
  );
  if (options.body) await pipeline(Readable.from(options.body), req);
  else req.end();
  const res = await answered;
  const parts: Buffer[] = [];
  await pipeline(res, options.to ?? new Writable({ write: (chunk, _, done) => done(void parts.push(chunk)) }));
  return {
    status: res.statusCode ?? 0,
    headers: res.headers as Record<string, string>,
    text: Buffer.concat(parts).toString(),
  };
}

async function upload(size: number): Promise<string> {
  const headers = { 'content-type': 'application/dicom', 'content-length': String(size) };
  const { status, text } = await send('POST', '/v1/blobs', { headers, body: pattern(0, size) });
  expect(status).toBe(201);
  return (JSON.parse(text) as { blobId: string }).blobId;
}

async function download(id: string, size: number): Promise<void> {
  const hash = createHash('sha256');
  const to = new Writable({ write: (chunk: Buffer, _, done) => done(void hash.update(chunk)) });
  const { status } = await send('GET', `/v1/blobs/${id}`, { to });
  expect(status).toBe(200);
  expect(hash.digest('hex')).toBe((await hashOf(pattern(0, size))).digest('hex'));
}

async function tusUpload(size: number, piece: number): Promise<string> {
  const tus = { 'tus-resumable': '1.0.0' };
  const created = await send('POST', '/v1/uploads', { headers: { ...tus, 'upload-length': String(size) } });
  expect(created.status).toBe(201);
  const location = created.headers['location'] ?? '';
  for (let at = 0; at < size; at += piece) {
    const headers = {
      ...tus,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(at),
      'content-length': String(piece),
    };
    const { status } = await send('PATCH', location, { headers, body: pattern(at, at + piece) });
    expect(status).toBe(204);
  }
  return location.split('/').at(-1) ?? '';
}
