import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type BlobId } from '@connecta/contracts';
import { openBlobs } from '@connecta/blobs';
import { startFaultProxy } from '@connecta/embedded';
import { deleteUnsettledBlobs, findBlob } from '@connecta/store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Upload } from 'tus-js-client';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';

const MIB = 1024 * 1024;
const BYTES = 'application/offset+octet-stream';
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

let world: BytesWorld;
let one: string;
let two: string;
beforeAll(async () => {
  world = await openBytesWorld();
  [one, two] = [await world.replica({ maxBlobBytes: 64 * MIB }), await world.replica({ maxBlobBytes: 64 * MIB })];
});
afterAll(() => world.close());

interface Options {
  key?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
}

function tus(url: string, method: string, path: string, options: Options = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${options.key ?? 'own'}`, 'tus-resumable': '1.0.0', ...options.headers };
  return fetch(new URL(path, url), { method, headers, ...(options.body ? { body: options.body } : {}) });
}

async function create(size: number | null, metadata = '', key = 'own'): Promise<string> {
  const length = size === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(size) };
  const headers = { ...length, ...(metadata === '' ? {} : { 'upload-metadata': metadata }) };
  const res = await tus(one, 'POST', '/v1/uploads', { headers, key });
  expect(res.status).toBe(201);
  return res.headers.get('location') ?? '';
}

const patch = (url: string, path: string, offset: number, body: Buffer, headers = {}): Promise<Response> =>
  tus(url, 'PATCH', path, {
    headers: { 'content-type': BYTES, 'upload-offset': String(offset), ...headers },
    body: new Uint8Array(body),
  });

async function offsetOf(url: string, path: string): Promise<number> {
  const res = await tus(url, 'HEAD', path);
  expect(res.status).toBe(200);
  return Number(res.headers.get('upload-offset'));
}

/** Begins a PATCH, sends a part of what it announces, and leaves the rest to the test. */
async function beginPatch(url: string, path: string, at: { offset: number; announce: number; send: Buffer }) {
  const req = request(new URL(path, url), {
    method: 'PATCH',
    headers: {
      authorization: 'Bearer own',
      'tus-resumable': '1.0.0',
      'content-type': BYTES,
      'upload-offset': String(at.offset),
      'content-length': String(at.announce),
    },
  });
  req.on('error', () => undefined);
  await new Promise<void>((resolve) => req.write(at.send, () => resolve()));
  return req;
}

async function read(id: string): Promise<Buffer> {
  const res = await fetch(new URL(`/v1/blobs/${id}`, two), { headers: { authorization: 'Bearer own' } });
  expect(res.status).toBe(200);
  return Buffer.from(await res.arrayBuffer());
}

const idOf = (path: string): BlobId => path.split('/').at(-1) as BlobId;

describe('a resumable upload', () => {
  test('is announced by OPTIONS', async () => {
    const res = await fetch(new URL('/v1/uploads', one), { method: 'OPTIONS' });
    expect(res.status).toBe(204);
    expect(res.headers.get('tus-version')).toBe('1.0.0');
    expect(res.headers.get('tus-extension')?.split(',')).toEqual(
      expect.arrayContaining(['creation', 'creation-with-upload', 'expiration', 'termination', 'checksum']),
    );
    expect(res.headers.get('tus-max-size')).toBe(String(64 * MIB));
  });

  test('works with the tus client, piece by piece', async () => {
    const bytes = randomBytes(7 * MIB + 3);
    const url = await new Promise<string>((resolve, reject) => {
      const upload = new Upload(bytes, {
        endpoint: new URL('/v1/uploads', one).href,
        headers: { authorization: 'Bearer own' },
        chunkSize: 3 * MIB,
        metadata: { filename: 'Größe.dcm', filetype: 'application/dicom', sha256: sha256(bytes) },
        uploadDataDuringCreation: true,
        onError: reject,
        onSuccess: () => resolve(upload.url ?? ''),
      });
      upload.start();
    });
    const id = idOf(url);
    expect((await read(id)).equals(bytes)).toBe(true);
    expect(await findBlob(world.store, id)).toMatchObject({
      state: 'ready',
      size: bytes.length,
      sha256: sha256(bytes),
      mediaType: 'application/dicom',
      fileName: 'Größe.dcm',
      ownerClientId: world.clients.own,
    });
  });

  test('goes on at another replica after its connection was cut', async () => {
    const bytes = randomBytes(13 * MIB + 11);
    const path = await create(bytes.length, `sha256 ${base64(sha256(bytes))}`);
    const sent = 9 * MIB + 5;
    const req = await beginPatch(one, path, { offset: 0, announce: bytes.length, send: bytes.subarray(0, sent) });
    await sleep(300);
    req.destroy();
    let offset = 0;
    for (let tries = 0; tries < 100 && offset < sent; tries++) {
      await sleep(50);
      offset = await offsetOf(two, path);
    }
    expect(offset).toBe(sent);
    let res = await patch(two, path, offset, bytes.subarray(offset));
    for (let tries = 0; res.status === 409 && tries < 100; tries++) {
      await sleep(50);
      res = await patch(two, path, offset, bytes.subarray(offset));
    }
    expect(res.status).toBe(204);
    expect(res.headers.get('upload-offset')).toBe(String(bytes.length));
    expect((await read(idOf(path))).equals(bytes)).toBe(true);
  });

  test('takes bytes from one request at a time, on whatever replica', async () => {
    const bytes = randomBytes(2 * MIB);
    const path = await create(bytes.length);
    const req = await beginPatch(one, path, { offset: 0, announce: bytes.length, send: bytes.subarray(0, MIB) });
    await sleep(200);
    for (const url of [one, two]) {
      const res = await patch(url, path, 0, bytes);
      expect(res.status).toBe(409);
      expect(await res.json()).toMatchObject({ code: 'conflict' });
      expect(res.headers.get('retry-after')).not.toBeNull();
    }
    req.end(bytes.subarray(MIB));
    const [res] = (await once(req, 'response')) as [import('node:http').IncomingMessage];
    expect(res.statusCode).toBe(204);
    expect((await read(idOf(path))).equals(bytes)).toBe(true);
  });

  test('a request that fell silent loses its hold to another', async () => {
    const bytes = randomBytes(2 * MIB);
    const path = await create(bytes.length);
    const req = await beginPatch(one, path, { offset: 0, announce: bytes.length, send: bytes.subarray(0, MIB) });
    let status = 409;
    for (let tries = 0; status === 409 && tries < 80; tries++) {
      await sleep(250);
      status = (await patch(two, path, 0, bytes)).status;
    }
    expect(status).toBe(204);
    req.end(bytes.subarray(MIB));
    const [res] = (await once(req, 'response')) as [import('node:http').IncomingMessage];
    expect(res.statusCode).toBe(409);
    expect((await read(idOf(path))).equals(bytes)).toBe(true);
  }, 40_000);

  test('refuses a wrong offset and tells the right one', async () => {
    const path = await create(10);
    expect((await patch(one, path, 0, Buffer.from('12345'))).status).toBe(204);
    const res = await patch(two, path, 3, Buffer.from('45678'));
    expect(res.status).toBe(409);
    expect(await res.json()).toMatchObject({ code: 'offset_mismatch', offset: 5 });
    expect(await offsetOf(two, path)).toBe(5);
  });

  test('that ends with other bytes than announced is discarded', async () => {
    const path = await create(4, `sha256 ${base64(sha256(Buffer.from('good')))}`);
    const res = await patch(one, path, 0, Buffer.from('evil'));
    expect(res.status).toBe(460);
    expect(await res.json()).toMatchObject({ code: 'checksum_mismatch' });
    expect((await tus(one, 'HEAD', path)).status).toBe(404);
    expect(await world.blobs.exists(idOf(path))).toBe(false);
  });

  test('keeps nothing of a body that does not fit its Upload-Checksum', async () => {
    const path = await create(4);
    const digest = (bytes: string): string => createHash('sha1').update(bytes).digest('base64');
    const wrong = await patch(one, path, 0, Buffer.from('evil'), { 'upload-checksum': `sha1 ${digest('good')}` });
    expect(wrong.status).toBe(460);
    expect(await offsetOf(one, path)).toBe(0);
    const right = await patch(two, path, 0, Buffer.from('good'), { 'upload-checksum': `sha1 ${digest('good')}` });
    expect(right.status).toBe(204);
    expect((await read(idOf(path))).toString()).toBe('good');
  });

  test('may tell its length later, and may be empty', async () => {
    const path = await create(null);
    expect((await patch(one, path, 0, Buffer.from('abc'))).status).toBe(204);
    expect((await patch(two, path, 3, Buffer.from('de'), { 'upload-length': '5' })).status).toBe(204);
    expect((await read(idOf(path))).toString()).toBe('abcde');
    expect(await read(idOf(await create(0)))).toHaveLength(0);
  });

  test('that is given up is gone', async () => {
    const path = await create(10);
    await patch(one, path, 0, Buffer.from('12345'));
    expect((await tus(two, 'DELETE', path)).status).toBe(204);
    expect((await tus(one, 'HEAD', path)).status).toBe(404);
    expect(await findBlob(world.store, idOf(path))).toBeNull();
  });

  test('that expired is gone, and is swept away', async () => {
    const short = await world.replica({ uploadTtlMs: 50 });
    const made = await tus(short, 'POST', '/v1/uploads', { headers: { 'upload-length': '10' } });
    const path = made.headers.get('location') ?? '';
    expect(Date.parse(made.headers.get('upload-expires') ?? '')).toBeLessThanOrEqual(Date.now() + 1000);
    await sleep(100);
    const res = await patch(short, path, 0, Buffer.from('12345'));
    expect(res.status).toBe(410);
    await deleteUnsettledBlobs(world.store, world.blobs, { limit: 100, olderThanMs: 0 });
    expect(await findBlob(world.store, idOf(path))).toBeNull();
  });

  test('whose last process died before it was made a blob is finished by the next request', async () => {
    const path = await create(5);
    await patch(one, path, 0, Buffer.from('1234'));
    const id = idOf(path);
    // As after a crash between the last block and the end: all staged, nothing committed.
    const whole = await create(5);
    await patch(one, whole, 0, Buffer.from('1234'));
    await world.store.pool.query(`UPDATE uploads SET length = 4 WHERE blob_id = ANY($1::uuid[])`, [[id, idOf(whole)]]);
    expect(await offsetOf(two, path)).toBe(4);
    expect((await read(id)).toString()).toBe('1234');
    expect((await patch(two, whole, 4, Buffer.alloc(0))).status).toBe(204);
    expect((await read(idOf(whole))).toString()).toBe('1234');
  });

  test('belongs to its client', async () => {
    const path = await create(10);
    for (const [method, key, status] of [
      ['HEAD', 'other', 404],
      ['PATCH', 'other', 404],
      ['DELETE', 'other', 404],
      ['DELETE', 'viewer', 403],
      ['HEAD', 'operator', 200],
    ] as const) {
      const headers = method === 'PATCH' ? { 'content-type': BYTES, 'upload-offset': '0' } : {};
      expect([method, key, (await tus(one, method, path, { key, headers })).status]).toEqual([method, key, status]);
    }
    expect((await tus(one, 'HEAD', `/v1/uploads/${newId()}`)).status).toBe(404);
    const foreign = await create(3, `client ${base64('own')}`, 'operator');
    expect((await findBlob(world.store, idOf(foreign)))?.ownerClientId).toBe(world.clients.own);
    const stolen = await tus(one, 'POST', '/v1/uploads', {
      headers: { 'upload-length': '3', 'upload-metadata': `client ${base64('other')}` },
    });
    expect(stolen.status).toBe(404);
  });

  test.each([
    ['no length', {}, 400],
    ['a length that is none', { 'upload-length': '-1' }, 400],
    ['a length and none', { 'upload-length': '1', 'upload-defer-length': '1' }, 400],
    ['too large', { 'upload-length': String(64 * MIB + 1) }, 413],
    ['metadata that is not base64', { 'upload-length': '1', 'upload-metadata': 'filename ???' }, 400],
    ['a wrong media type', { 'upload-length': '1', 'upload-metadata': `filetype ${base64('x\r\ny')}` }, 400],
    ['a wrong hash', { 'upload-length': '1', 'upload-metadata': `sha256 ${base64('abc')}` }, 400],
    ['another protocol version', { 'upload-length': '1', 'tus-resumable': '0.2.0' }, 412],
  ])('is refused with %s', async (_what, headers, status) => {
    const res = await tus(one, 'POST', '/v1/uploads', { headers });
    expect(res.status).toBe(status);
    expect(res.headers.get('content-type')).toContain('application/problem+json');
  });

  test('does not take more bytes than it has', async () => {
    const path = await create(4);
    const res = await patch(one, path, 0, Buffer.from('12345'));
    expect(res.status).toBe(413);
    expect(await offsetOf(one, path)).toBe(0);
  });
});

describe('a storage that is away', () => {
  test('is a 503, and the upload goes on when it is back', async () => {
    const proxy = await startFaultProxy(world.blobConnectionString);
    try {
      const blobs = await openBlobs({ connectionString: proxy.connectionString, container: world.container });
      const url = await world.replica({ blobs });
      const bytes = randomBytes(5 * MIB);
      const path = await create(bytes.length);
      proxy.decide = () => 'unavailable';
      const res = await patch(url, path, 0, bytes);
      expect(res.status).toBe(503);
      expect(await res.json()).toMatchObject({ code: 'unavailable' });
      expect(res.headers.get('retry-after')).not.toBeNull();
      let count = 0;
      proxy.decide = () => (count++ % 2 === 0 ? 'unavailable' : 'pass');
      const offset = await offsetOf(url, path);
      expect((await patch(url, path, offset, bytes.subarray(offset))).status).toBe(204);
      proxy.decide = () => 'pass';
      expect((await read(idOf(path))).equals(bytes)).toBe(true);
    } finally {
      await proxy.close();
    }
  }, 60_000);
});
