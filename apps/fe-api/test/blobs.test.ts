import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type BlobId } from '@connecta/contracts';
import { openBlobs } from '@connecta/blobs';
import { startFaultProxy } from '@connecta/embedded';
import { findBlob } from '@connecta/store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BytesClient, MIB, sha256 } from './bytes-client.ts';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';

let world: BytesWorld;
let client: BytesClient;
let url: string;
beforeAll(async () => {
  world = await openBytesWorld();
  url = await world.replica({ maxBlobBytes: 16 * MIB });
  client = new BytesClient(url);
});
afterAll(() => world.close());

const countRows = async (): Promise<number> => world.store.prisma.blob.count();

describe('a blob in one go', () => {
  test('comes back as it was sent', async () => {
    const bytes = randomBytes(9 * MIB + 1);
    const id = await client.store(bytes, {}, `?fileName=${encodeURIComponent('a/b/Röntgen "1".png')}`);
    const info = await (await client.call('GET', `/v1/blobs/${id}/info`)).json();
    expect(info).toMatchObject({
      blobId: id,
      mediaType: 'image/png',
      size: bytes.length,
      sha256: sha256(bytes),
      fileName: 'Röntgen "1".png',
      client: world.clients.own,
      createdBy: 'key:own',
    });
    const res = await client.call('GET', `/v1/blobs/${id}`);
    expect(res.status).toBe(200);
    expect(Object.fromEntries(res.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': String(bytes.length),
      etag: `"${sha256(bytes)}"`,
      'accept-ranges': 'bytes',
      'x-content-type-options': 'nosniff',
      'content-disposition': `attachment; filename="R_ntgen _1_.png"; filename*=UTF-8''R%C3%B6ntgen%20%221%22.png`,
    });
    expect(Buffer.from(await res.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('may be empty, and of a kind that nobody named', async () => {
    const res = await client.call('POST', '/v1/blobs', { body: new Uint8Array() });
    expect(res.status).toBe(201);
    const { blobId, mediaType } = (await res.json()) as { blobId: BlobId; mediaType: string };
    expect(mediaType).toBe('application/octet-stream');
    expect(await (await client.call('GET', `/v1/blobs/${blobId}`)).arrayBuffer()).toHaveProperty('byteLength', 0);
  });

  test('is served in ranges, and not at all when it is known', async () => {
    const bytes = randomBytes(5 * MIB);
    const id = await client.store(bytes);
    const get = (headers: Record<string, string>, method = 'GET') =>
      client.call(method, `/v1/blobs/${id}`, { headers });
    const part = await get({ range: 'bytes=4194300-4194309' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 4194300-4194309/${bytes.length}`);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(4194300, 4194310))).toBe(true);
    const beyond = await get({ range: `bytes=${bytes.length}-` });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${bytes.length}`);
    const etag = `"${sha256(bytes)}"`;
    expect((await get({ 'if-none-match': etag })).status).toBe(304);
    expect((await get({ range: 'bytes=0-1', 'if-range': '"another"' })).status).toBe(200);
    expect((await get({ range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
    const head = await get({}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
    expect((await get({ 'if-none-match': etag }, 'HEAD')).status).toBe(304);
  });

  test('is refused when its bytes are not those that were announced', async () => {
    const before = await countRows();
    const res = await client.call('POST', '/v1/blobs', {
      headers: { 'connecta-sha256': '0'.repeat(64) },
      body: new Uint8Array(9 * MIB),
    });
    expect(res.status).toBe(460);
    expect(await res.json()).toMatchObject({ code: 'checksum_mismatch' });
    expect(await countRows()).toBe(before);
  });

  test('is refused when it is too large, announced or not', async () => {
    const before = await countRows();
    const announced = await client.call('POST', '/v1/blobs', { body: new Uint8Array(16 * MIB + 1) });
    expect(announced.status).toBe(413);
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i <= 16; i++) controller.enqueue(new Uint8Array(MIB));
        controller.close();
      },
    });
    const headers = { authorization: 'Bearer own' };
    const chunked = await fetch(new URL('/v1/blobs', url), { method: 'POST', headers, body: stream, duplex: 'half' });
    expect(chunked.status).toBe(413);
    expect(await chunked.json()).toMatchObject({ code: 'too_large' });
    expect(await countRows()).toBe(before);
  });

  test('is not stored when the sender breaks off, and the sender is told if it still listens', async () => {
    const before = await countRows();
    const answerTo = async (end: 'half-close' | 'reset'): Promise<string> => {
      const { hostname, port } = new URL(url);
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
      socket.write(
        'POST /v1/blobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer own\r\nContent-Length: 6000000\r\n\r\n',
      );
      socket.write(Buffer.alloc(5 * MIB));
      await sleep(300);
      if (end === 'reset') {
        socket.resetAndDestroy();
        return '';
      }
      socket.end();
      return (await buffer(socket)).toString();
    };
    expect(await answerTo('half-close')).toMatch(/^HTTP\/1.1 400 [^]*bad_request/);
    await answerTo('reset');
    for (let tries = 0; (await countRows()) !== before && tries < 50; tries++) await sleep(50);
    expect(await countRows()).toBe(before);
  });

  test('is stored once under an Idempotency-Key', async () => {
    const send = (body: string) =>
      client.call('POST', '/v1/blobs', { headers: { 'idempotency-key': 'k1', 'content-type': 'text/plain' }, body });
    const [first, second, third] = [await send('one'), await send('one'), await send('two')];
    expect([first.status, second.status, third.status]).toEqual([201, 200, 422]);
    expect(((await second.json()) as { blobId: string }).blobId).toBe(
      ((await first.json()) as { blobId: string }).blobId,
    );
    expect(await third.json()).toMatchObject({ code: 'idempotency_mismatch' });
  });

  test('belongs to its client', async () => {
    const id = await client.store('mine');
    for (const [method, path] of [
      ['GET', `/v1/blobs/${id}`],
      ['HEAD', `/v1/blobs/${id}`],
      ['GET', `/v1/blobs/${id}/info`],
      ['DELETE', `/v1/blobs/${id}`],
      ['GET', `/v1/blobs/${newId()}`],
    ] as const) {
      expect((await client.call(method, path, { key: 'other' })).status).toBe(404);
    }
    expect((await client.call('GET', `/v1/blobs/${id}`, { key: 'viewer' })).status).toBe(200);
    expect((await client.call('DELETE', `/v1/blobs/${id}`, { key: 'viewer' })).status).toBe(403);
    expect((await client.call('POST', '/v1/blobs', { key: 'viewer', body: 'x' })).status).toBe(403);
    expect((await client.call('POST', '/v1/blobs?client=other', { body: 'x' })).status).toBe(404);
    const given = await client.store('given', { key: 'operator' }, '?client=own');
    expect((await findBlob(world.store, given))?.ownerClientId).toBe(world.clients.own);
    expect((await client.call('GET', '/v1/blobs/not-an-id')).status).toBe(400);
  });
});

describe('a storage that is away', () => {
  test('is a 503 and never a 500', async () => {
    const bytes = randomBytes(5 * MIB);
    const id = await client.store(bytes);
    const proxy = await startFaultProxy(world.blobConnectionString);
    try {
      const blobs = await openBlobs({ connectionString: proxy.connectionString, container: world.container });
      const at = await world.replica({ blobs });
      const before = await countRows();
      proxy.decide = () => 'unavailable';
      const answers = await Promise.all([
        client.call('GET', `/v1/blobs/${id}`, { at }),
        client.call('DELETE', `/v1/blobs/${await client.store('y')}`, { at }),
        client.call('POST', '/v1/blobs', { at, body: 'x' }),
        client.call('POST', '/v1/blobs', { at, body: new Uint8Array(bytes) }),
      ]);
      expect(answers.map((res) => res.status)).toEqual([503, 503, 503, 503]);
      for (const res of answers) expect(await res.json()).toMatchObject({ code: 'unavailable' });
      // The deletion is begun: the blob is unreadable, and its bytes go with the next sweep.
      expect(await countRows()).toBe(before + 1);
      let count = 0;
      proxy.decide = () => (count++ % 2 === 0 ? 'reset' : 'pass');
      const res = await client.call('GET', `/v1/blobs/${id}`, { at });
      expect(Buffer.from(await res.arrayBuffer()).equals(bytes)).toBe(true);
      expect((await client.call('POST', '/v1/blobs', { at, body: new Uint8Array(bytes) })).status).toBe(201);
    } finally {
      await proxy.close();
    }
  }, 60_000);

  test('that holds other bytes than it was given cuts the download short', async () => {
    const id = await client.store(randomBytes(MIB));
    await world.store.pool.query('UPDATE blobs SET sha256 = $2 WHERE id = $1', [id, '0'.repeat(64)]);
    const res = await client.call('GET', `/v1/blobs/${id}`);
    await expect(res.arrayBuffer()).rejects.toThrow();
    await world.blobs.delete(id);
    expect((await client.call('GET', `/v1/blobs/${id}`)).status).toBe(410);
  });
});
