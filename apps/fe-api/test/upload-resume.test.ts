import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBlobs } from '@connecta/blobs';
import { startFaultProxy } from '@connecta/embedded';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { MIB, sha256 } from './bytes-client.ts';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';
import { base64, beginPatch, create, idOf, offsetOf, patch, read } from './tus-calls.ts';

let world: BytesWorld;
let one: string;
let two: string;
beforeAll(async () => {
  world = await openBytesWorld();
  [one, two] = [await world.replica({ maxBlobBytes: 64 * MIB }), await world.replica({ maxBlobBytes: 64 * MIB })];
});
afterAll(() => world.close());

describe('an upload over several replicas', () => {
  test('goes on at another replica after its connection was cut', async () => {
    const bytes = randomBytes(13 * MIB + 11);
    const path = await create(one, bytes.length, `sha256 ${base64(sha256(bytes))}`);
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
    expect((await read(two, idOf(path))).equals(bytes)).toBe(true);
  });

  test('takes bytes from one request at a time, on whatever replica', async () => {
    const bytes = randomBytes(2 * MIB);
    const path = await create(one, bytes.length);
    const req = await beginPatch(one, path, { offset: 0, announce: bytes.length, send: bytes.subarray(0, MIB) });
    await sleep(200);
    for (const url of [one, two]) {
      const res = await patch(url, path, 0, bytes);
      expect(res.status).toBe(409);
      expect(await res.json()).toMatchObject({ code: 'conflict' });
      expect(res.headers.get('retry-after')).not.toBeNull();
    }
    req.end(bytes.subarray(MIB));
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(res.statusCode).toBe(204);
    expect((await read(two, idOf(path))).equals(bytes)).toBe(true);
  });

  test('a request that fell silent loses its hold to another', async () => {
    const bytes = randomBytes(2 * MIB);
    const path = await create(one, bytes.length);
    const req = await beginPatch(one, path, { offset: 0, announce: bytes.length, send: bytes.subarray(0, MIB) });
    let status = 409;
    for (let tries = 0; status === 409 && tries < 80; tries++) {
      await sleep(250);
      status = (await patch(two, path, 0, bytes)).status;
    }
    expect(status).toBe(204);
    req.end(bytes.subarray(MIB));
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(res.statusCode).toBe(409);
    expect((await read(two, idOf(path))).equals(bytes)).toBe(true);
  }, 40_000);

  test('whose last process died before it was made a blob is finished by the next request', async () => {
    const path = await create(one, 5);
    await patch(one, path, 0, Buffer.from('1234'));
    const id = idOf(path);
    // As after a crash between the last block and the end: all staged, nothing committed.
    const whole = await create(one, 5);
    await patch(one, whole, 0, Buffer.from('1234'));
    await world.store.pool.query(`UPDATE uploads SET length = 4 WHERE blob_id = ANY($1::uuid[])`, [[id, idOf(whole)]]);
    expect(await offsetOf(two, path)).toBe(4);
    expect((await read(two, id)).toString()).toBe('1234');
    expect((await patch(two, whole, 4, Buffer.alloc(0))).status).toBe(204);
    expect((await read(two, idOf(whole))).toString()).toBe('1234');
  });
});

describe('a storage that is away', () => {
  test('is a 503, and the upload goes on when it is back', async () => {
    const proxy = await startFaultProxy(world.blobConnectionString);
    try {
      const blobs = await openBlobs({ connectionString: proxy.connectionString, container: world.container });
      const url = await world.replica({ blobs });
      const bytes = randomBytes(5 * MIB);
      const path = await create(one, bytes.length);
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
      expect((await read(two, idOf(path))).equals(bytes)).toBe(true);
    } finally {
      await proxy.close();
    }
  }, 60_000);
});
