import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@connecta/contracts';
import { deleteUnsettledBlobs, findBlob } from '@connecta/store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Upload } from 'tus-js-client';
import { MIB, sha256 } from './bytes-client.ts';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';
import { BYTES, base64, create, idOf, offsetOf, patch, read, tus } from './tus-calls.ts';

let world: BytesWorld;
let one: string;
let two: string;
beforeAll(async () => {
  world = await openBytesWorld();
  [one, two] = [await world.replica({ maxBlobBytes: 64 * MIB }), await world.replica({ maxBlobBytes: 64 * MIB })];
});
afterAll(() => world.close());

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
    expect((await read(two, id)).equals(bytes)).toBe(true);
    expect(await findBlob(world.store, id)).toMatchObject({
      state: 'ready',
      size: bytes.length,
      sha256: sha256(bytes),
      mediaType: 'application/dicom',
      fileName: 'Größe.dcm',
      ownerClientId: world.clients.own,
    });
  });

  test('is begun once under one Idempotency-Key, and a repeat tells how far it is', async () => {
    const begin = (key: string, metadata = ''): Promise<Response> =>
      tus(one, 'POST', '/v1/uploads', {
        headers: {
          ...{ 'upload-length': '10', 'idempotency-key': key, 'content-type': BYTES },
          ...(metadata === '' ? {} : { 'upload-metadata': metadata }),
        },
        body: new Uint8Array(Buffer.from('12345')),
      });
    const first = await begin('an-upload');
    const again = await begin('an-upload');
    expect([first.status, again.status, again.headers.get('upload-offset')]).toEqual([201, 201, '5']);
    expect(again.headers.get('location')).toBe(first.headers.get('location'));
    expect((await begin('an-upload', `filename ${base64('x')}`)).status).toBe(422);
    const path = first.headers.get('location') ?? '';
    expect((await patch(two, path, 5, Buffer.from('67890'))).status).toBe(204);
    expect((await begin('an-upload')).headers.get('upload-offset')).toBe('10');
    expect((await read(two, idOf(path))).toString()).toBe('1234567890');
  });

  test('refuses a wrong offset and tells the right one', async () => {
    const path = await create(one, 10);
    expect((await patch(one, path, 0, Buffer.from('12345'))).status).toBe(204);
    const res = await patch(two, path, 3, Buffer.from('45678'));
    expect(res.status).toBe(409);
    expect(await res.json()).toMatchObject({ code: 'offset_mismatch', offset: 5 });
    expect(await offsetOf(two, path)).toBe(5);
  });

  test('that ends with other bytes than announced is discarded', async () => {
    const path = await create(one, 4, `sha256 ${base64(sha256(Buffer.from('good')))}`);
    const res = await patch(one, path, 0, Buffer.from('evil'));
    expect(res.status).toBe(460);
    expect(await res.json()).toMatchObject({ code: 'checksum_mismatch' });
    expect((await tus(one, 'HEAD', path)).status).toBe(404);
    expect(await world.blobs.exists(idOf(path))).toBe(false);
  });

  test('keeps nothing of a body that does not fit its Upload-Checksum', async () => {
    const path = await create(one, 4);
    const digest = (bytes: string): string => createHash('sha1').update(bytes).digest('base64');
    const wrong = await patch(one, path, 0, Buffer.from('evil'), { 'upload-checksum': `sha1 ${digest('good')}` });
    expect(wrong.status).toBe(460);
    expect(await offsetOf(one, path)).toBe(0);
    const right = await patch(two, path, 0, Buffer.from('good'), { 'upload-checksum': `sha1 ${digest('good')}` });
    expect(right.status).toBe(204);
    expect((await read(two, idOf(path))).toString()).toBe('good');
  });

  test('may tell its length later, and may be empty', async () => {
    const path = await create(one, null);
    expect((await patch(one, path, 0, Buffer.from('abc'))).status).toBe(204);
    expect((await patch(two, path, 3, Buffer.from('de'), { 'upload-length': '5' })).status).toBe(204);
    expect((await read(two, idOf(path))).toString()).toBe('abcde');
    expect(await read(two, idOf(await create(one, 0)))).toHaveLength(0);
  });

  test('that is given up is gone', async () => {
    const path = await create(one, 10);
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

  test('belongs to its client', async () => {
    const path = await create(one, 10);
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
    const foreign = await create(one, 3, `client ${base64('own')}`, 'operator');
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
    const path = await create(one, 4);
    const res = await patch(one, path, 0, Buffer.from('12345'));
    expect(res.status).toBe(413);
    expect(await offsetOf(one, path)).toBe(0);
  });
});
