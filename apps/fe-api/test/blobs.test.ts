import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type BlobId, type OrderId, type PlanId, type WorkflowVersionId } from '@connecta/contracts';
import { openBlobs } from '@connecta/blobs';
import { startFaultProxy } from '@connecta/embedded';
import { deleteExpiredBlobs, findBlob } from '@connecta/store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';

const MIB = 1024 * 1024;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let world: BytesWorld;
let url: string;
beforeAll(async () => {
  world = await openBytesWorld();
  url = await world.replica({ maxBlobBytes: 16 * MIB });
});
afterAll(() => world.close());

interface Options {
  key?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | FormData | string;
  at?: string;
}

const call = (method: string, path: string, { key = 'own', headers = {}, body, at = url }: Options = {}) =>
  fetch(new URL(path, at), {
    method,
    headers: { authorization: `Bearer ${key}`, ...headers },
    ...(body === undefined ? {} : { body }),
  });

async function store(bytes: Uint8Array | string, options: Options = {}, query = ''): Promise<BlobId> {
  const headers = { 'content-type': 'image/png', ...options.headers };
  const res = await call('POST', `/v1/blobs${query}`, {
    ...options,
    headers,
    body: new Uint8Array(Buffer.from(bytes)),
  });
  expect(res.status).toBe(201);
  const { blobId } = (await res.json()) as { blobId: BlobId };
  expect(res.headers.get('location')).toBe(`/v1/blobs/${blobId}`);
  return blobId;
}

const countRows = async (): Promise<number> => world.store.prisma.blob.count();

describe('a blob in one go', () => {
  test('comes back as it was sent', async () => {
    const bytes = randomBytes(9 * MIB + 1);
    const id = await store(bytes, {}, `?fileName=${encodeURIComponent('a/b/Röntgen "1".png')}`);
    const info = await (await call('GET', `/v1/blobs/${id}/info`)).json();
    expect(info).toMatchObject({
      blobId: id,
      mediaType: 'image/png',
      size: bytes.length,
      sha256: sha256(bytes),
      fileName: 'Röntgen "1".png',
      client: world.clients.own,
      createdBy: 'key:own',
    });
    const res = await call('GET', `/v1/blobs/${id}`);
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
    const res = await call('POST', '/v1/blobs', { body: new Uint8Array() });
    expect(res.status).toBe(201);
    const { blobId, mediaType } = (await res.json()) as { blobId: BlobId; mediaType: string };
    expect(mediaType).toBe('application/octet-stream');
    expect(await (await call('GET', `/v1/blobs/${blobId}`)).arrayBuffer()).toHaveProperty('byteLength', 0);
  });

  test('is served in ranges, and not at all when it is known', async () => {
    const bytes = randomBytes(5 * MIB);
    const id = await store(bytes);
    const get = (headers: Record<string, string>, method = 'GET') => call(method, `/v1/blobs/${id}`, { headers });
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
    const res = await call('POST', '/v1/blobs', {
      headers: { 'connecta-sha256': '0'.repeat(64) },
      body: new Uint8Array(9 * MIB),
    });
    expect(res.status).toBe(460);
    expect(await res.json()).toMatchObject({ code: 'checksum_mismatch' });
    expect(await countRows()).toBe(before);
  });

  test('is refused when it is too large, announced or not', async () => {
    const before = await countRows();
    const announced = await call('POST', '/v1/blobs', { body: new Uint8Array(16 * MIB + 1) });
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
      call('POST', '/v1/blobs', { headers: { 'idempotency-key': 'k1', 'content-type': 'text/plain' }, body });
    const [first, second, third] = [await send('one'), await send('one'), await send('two')];
    expect([first.status, second.status, third.status]).toEqual([201, 200, 422]);
    expect(((await second.json()) as { blobId: string }).blobId).toBe(
      ((await first.json()) as { blobId: string }).blobId,
    );
    expect(await third.json()).toMatchObject({ code: 'idempotency_mismatch' });
  });

  test('belongs to its client', async () => {
    const id = await store('mine');
    for (const [method, path] of [
      ['GET', `/v1/blobs/${id}`],
      ['HEAD', `/v1/blobs/${id}`],
      ['GET', `/v1/blobs/${id}/info`],
      ['DELETE', `/v1/blobs/${id}`],
      ['GET', `/v1/blobs/${newId()}`],
    ] as const) {
      expect((await call(method, path, { key: 'other' })).status).toBe(404);
    }
    expect((await call('GET', `/v1/blobs/${id}`, { key: 'viewer' })).status).toBe(200);
    expect((await call('DELETE', `/v1/blobs/${id}`, { key: 'viewer' })).status).toBe(403);
    expect((await call('POST', '/v1/blobs', { key: 'viewer', body: 'x' })).status).toBe(403);
    expect((await call('POST', '/v1/blobs?client=other', { body: 'x' })).status).toBe(404);
    const given = await store('given', { key: 'operator' }, '?client=own');
    expect((await findBlob(world.store, given))?.ownerClientId).toBe(world.clients.own);
    expect((await call('GET', '/v1/blobs/not-an-id')).status).toBe(400);
  });
});

describe('retention', () => {
  const keep = (id: string, expiresAt: string | null) =>
    call('PATCH', `/v1/blobs/${id}`, {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ expiresAt }),
    });

  test('is the client’s, shown, and extendable', async () => {
    const id = await store('x', { key: 'other' });
    const blob = await findBlob(world.store, id);
    expect((blob?.expiresAt?.getTime() ?? 0) - (blob?.createdAt.getTime() ?? 0)).toBe(86_400_000);
    const own = await store('y');
    const until = new Date(Date.now() + 90 * 86_400_000).toISOString();
    expect(await (await keep(own, until)).json()).toMatchObject({ expiresAt: until });
    expect((await call('HEAD', `/v1/blobs/${own}`)).headers.get('connecta-expires-at')).toBe(until);
    expect(await (await keep(own, null)).json()).toMatchObject({ expiresAt: null });
    expect((await keep(own, '2001-01-01T00:00:00Z')).status).toBe(400);
    expect((await keep(own, 'soon')).status).toBe(400);
    expect((await keep(newId(), until)).status).toBe(404);
  });

  test('ends a blob, but not under an order that is under way', async () => {
    const [used, free] = [await store('used'), await store('free')];
    const orderId = await placeOrder(used);
    expect((await call('DELETE', `/v1/blobs/${used}`)).status).toBe(409);
    await world.store.pool.query(
      `UPDATE blobs SET expires_at = now() - interval '1 minute' WHERE id = ANY($1::uuid[])`,
      [[used, free]],
    );
    expect((await call('GET', `/v1/blobs/${used}`)).status).toBe(410);
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    expect(await world.blobs.exists(used)).toBe(true);
    await world.store.pool.query(`UPDATE orders SET state = 'completed' WHERE id = $1`, [orderId]);
    await deleteExpiredBlobs(world.store, world.blobs, 100);
    for (const id of [used, free]) {
      expect(await world.blobs.exists(id)).toBe(false);
      expect(await findBlob(world.store, id)).toBeNull();
    }
  });

  test('can be ended by hand', async () => {
    const id = await store('bye');
    expect((await call('DELETE', `/v1/blobs/${id}`)).status).toBe(204);
    expect((await call('GET', `/v1/blobs/${id}`)).status).toBe(404);
    expect(await world.blobs.exists(id)).toBe(false);
  });

  async function placeOrder(blobId: BlobId): Promise<OrderId> {
    const [version, plan, order] = [newId<WorkflowVersionId>(), newId<PlanId>(), newId<OrderId>()];
    const { prisma } = world.store;
    await prisma.workflowVersion.create({ data: { id: version, hash: version, definition: {} } });
    await prisma.plan.create({ data: { id: plan, hash: plan, workflowVersionId: version, steps: {} } });
    await prisma.order.create({
      data: {
        ...{ id: order, planId: plan, clientId: world.clients.own, state: 'active', createdBy: 'x', traceparent: 'x' },
        input: { images: [{ blobId, mediaType: 'image/png', size: 4, sha256: '0'.repeat(64) }] },
      },
    });
    return order;
  }
});

describe('a form', () => {
  const form = (...parts: [string, string | Blob, string?][]): FormData => {
    const data = new FormData();
    for (const [name, value, fileName] of parts) {
      if (typeof value === 'string') data.append(name, value);
      else data.append(name, value, fileName);
    }
    return data;
  };
  const file = (bytes: Uint8Array<ArrayBuffer>): Blob => new Blob([bytes], { type: 'image/jpeg' });

  test('stores its file for the client that an earlier field names', async () => {
    const bytes = new Uint8Array(randomBytes(6 * MIB));
    const body = form(['client', 'other'], ['file', file(bytes), 'C:\\pictures\\ä.jpg']);
    const res = await call('POST', '/v1/blobs', { key: 'operator', body });
    expect(res.status).toBe(201);
    expect(await res.json()).toMatchObject({
      client: world.clients.other,
      fileName: 'ä.jpg',
      mediaType: 'image/jpeg',
      sha256: sha256(bytes),
    });
  });

  test.each([
    ['no file', form(['client', 'own']), 400],
    ['a file of another name', form(['picture', file(new Uint8Array(5)), 'a.jpg']), 400],
    ['two files', form(['file', file(new Uint8Array(5)), 'a.jpg'], ['file', file(new Uint8Array(5)), 'b.jpg']), 400],
    ['a client that is not the sender', form(['client', 'other'], ['file', file(new Uint8Array(5)), 'a.jpg']), 404],
    ['a file that is too large', form(['file', file(new Uint8Array(16 * MIB + 1)), 'a.jpg']), 413],
  ])('with %s is refused', async (_what, body, status) => {
    const before = await countRows();
    const res = await call('POST', '/v1/blobs', { body });
    expect(res.status).toBe(status);
    expect(res.headers.get('content-type')).toContain('application/problem+json');
    expect(await countRows()).toBe(before);
  });

  test('that breaks off stores nothing', async () => {
    const before = await countRows();
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
    for (const body of [head + 'x'.repeat(5 * MIB), `${head}abc\r\n--b\r\nContent-Dispo`, 'nonsense', '']) {
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      const res = await call('POST', '/v1/blobs', { headers, body });
      expect(res.status).toBe(400);
      expect(await res.json()).toMatchObject({ code: 'bad_request' });
    }
    const res = await call('POST', '/v1/blobs', { headers: { 'content-type': 'multipart/form-data' }, body: 'x' });
    expect(res.status).toBe(400);
    expect(await countRows()).toBe(before);
  });
});

describe('a storage that is away', () => {
  test('is a 503 and never a 500', async () => {
    const bytes = randomBytes(5 * MIB);
    const id = await store(bytes);
    const proxy = await startFaultProxy(world.blobConnectionString);
    try {
      const blobs = await openBlobs({ connectionString: proxy.connectionString, container: world.container });
      const at = await world.replica({ blobs });
      const before = await countRows();
      proxy.decide = () => 'unavailable';
      const answers = await Promise.all([
        call('GET', `/v1/blobs/${id}`, { at }),
        call('DELETE', `/v1/blobs/${await store('y')}`, { at }),
        call('POST', '/v1/blobs', { at, body: 'x' }),
        call('POST', '/v1/blobs', { at, body: new Uint8Array(bytes) }),
      ]);
      expect(answers.map((res) => res.status)).toEqual([503, 503, 503, 503]);
      for (const res of answers) expect(await res.json()).toMatchObject({ code: 'unavailable' });
      // The deletion is begun: the blob is unreadable, and its bytes go with the next sweep.
      expect(await countRows()).toBe(before + 1);
      let count = 0;
      proxy.decide = () => (count++ % 2 === 0 ? 'reset' : 'pass');
      const res = await call('GET', `/v1/blobs/${id}`, { at });
      expect(Buffer.from(await res.arrayBuffer()).equals(bytes)).toBe(true);
      expect((await call('POST', '/v1/blobs', { at, body: new Uint8Array(bytes) })).status).toBe(201);
    } finally {
      await proxy.close();
    }
  }, 60_000);

  test('that holds other bytes than it was given cuts the download short', async () => {
    const id = await store(randomBytes(MIB));
    await world.store.pool.query('UPDATE blobs SET sha256 = $2 WHERE id = $1', [id, '0'.repeat(64)]);
    const res = await call('GET', `/v1/blobs/${id}`);
    await expect(res.arrayBuffer()).rejects.toThrow();
    await world.blobs.delete(id);
    expect((await call('GET', `/v1/blobs/${id}`)).status).toBe(410);
  });
});
