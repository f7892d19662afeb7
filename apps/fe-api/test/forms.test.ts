import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BytesClient, MIB, sha256 } from './bytes-client.ts';
import { openBytesWorld, type BytesWorld } from './bytes-world.ts';

let world: BytesWorld;
let client: BytesClient;
beforeAll(async () => {
  world = await openBytesWorld();
  client = new BytesClient(await world.replica({ maxBlobBytes: 16 * MIB }));
});
afterAll(() => world.close());

const countRows = async (): Promise<number> => world.store.prisma.blob.count();

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
    const res = await client.call('POST', '/v1/blobs', { key: 'operator', body });
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
    const res = await client.call('POST', '/v1/blobs', { body });
    expect(res.status).toBe(status);
    expect(res.headers.get('content-type')).toContain('application/problem+json');
    expect(await countRows()).toBe(before);
  });

  test('that breaks off stores nothing', async () => {
    const before = await countRows();
    const head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
    for (const body of [head + 'x'.repeat(5 * MIB), `${head}abc\r\n--b\r\nContent-Dispo`, 'nonsense', '']) {
      const headers = { 'content-type': 'multipart/form-data; boundary=b' };
      const res = await client.call('POST', '/v1/blobs', { headers, body });
      expect(res.status).toBe(400);
      expect(await res.json()).toMatchObject({ code: 'bad_request' });
    }
    const res = await client.call('POST', '/v1/blobs', {
      headers: { 'content-type': 'multipart/form-data' },
      body: 'x',
    });
    expect(res.status).toBe(400);
    expect(await countRows()).toBe(before);
  });
});
