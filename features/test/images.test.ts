import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { TestSystem } from '../src/system.ts';

interface Ref {
  blobId: string;
  mediaType: string;
  size: number;
  sha256: string;
}

/** All blob references inside a value. */
function refsIn(value: unknown): Ref[] {
  if (typeof value !== 'object' || value === null) return [];
  return 'blobId' in value ? [value as Ref] : Object.values(value).flatMap(refsIn);
}

describe('files through all three worker types', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start();
    await system.api.send('POST', '/v1/clients', { body: { name: 'photo-shop', workflow: null } });
    const made = await system.api.send('POST', '/v1/workflows', {
      body: {
        name: 'shop-images',
        steps: {
          bright: { uses: 'generic/bright' },
          sizes: { uses: 'generic/device-sizes', needs: ['bright'] },
          mark: { uses: 'generic/client-x-mark', needs: ['sizes'] },
        },
        output: 'mark',
      },
    });
    if (made.status !== 201) throw new Error(JSON.stringify(made.body));
    const client = await system.api.send<{ revision: number }>('GET', '/v1/clients/photo-shop');
    const put = await system.api.send('PUT', '/v1/clients/photo-shop', {
      body: { name: 'photo-shop', workflow: 'shop-images' },
      headers: { 'if-match': client.headers.get('etag') ?? '' },
    });
    if (put.status !== 200) throw new Error(JSON.stringify(put.body));
  });
  afterAll(() => system.stop());

  const bytesOf = async (ref: Ref): Promise<Buffer> => {
    const response = await fetch(`${system.api.url}/v1/blobs/${ref.blobId}`, {
      headers: { authorization: `Bearer ${system.api.key}` },
    });
    return Buffer.from(await response.arrayBuffer());
  };
  const form = (bytes: Buffer, type: string, fields: Record<string, string>): FormData => {
    const data = new FormData();
    for (const [name, value] of Object.entries(fields)) data.set(name, value);
    data.set('file', new Blob([new Uint8Array(bytes)], { type }), 'input');
    return data;
  };
  const photo = (width: number, height: number): Promise<Buffer> =>
    sharp({ create: { width, height, channels: 3, background: { r: 90, g: 120, b: 60 } } })
      .jpeg()
      .toBuffer();

  test("a photo comes back as three marked images of the widths that the client's contract leads to", async () => {
    const order = await system.api.run(form(await photo(2400, 1600), 'image/jpeg', { client: 'photo-shop' }));
    expect(order.state).toBe('completed');
    const profiles = await system.api.send<{ items: { name: string; settings: { widths: unknown } }[] }>(
      'GET',
      '/v1/workers/generic/profiles?limit=100',
    );
    const settings = profiles.body.items.find((profile) => profile.name === 'device-sizes')?.settings;
    const widths = [...JSON.stringify(settings).matchAll(/"width":(\d+)/g)].map((match) => Number(match[1]));
    const images = await Promise.all(refsIn(order.result).map(bytesOf));
    expect(images).toHaveLength(3);
    const shapes = await Promise.all(images.map((image) => sharp(image).metadata()));
    expect(shapes.map((shape) => shape.width).sort((a, b) => a - b)).toEqual(widths.sort((a, b) => a - b));
    for (const [i, image] of images.entries()) {
      const shape = shapes[i];
      expect(Math.abs((shape?.width ?? 0) / (shape?.height ?? 1) - 1.5)).toBeLessThan(0.02);
      // Brighter than what was sent, and no longer of one colour: the mark is on it.
      const { channels } = await sharp(image).stats();
      expect(channels[1]?.mean).toBeGreaterThan(121);
      expect(channels[0]?.stdev).toBeGreaterThan(0.5);
    }
  });

  test('a text comes back packed by a legacy program', async () => {
    const text = Buffer.from('all work and no play\n'.repeat(1000));
    const order = await system.api.run(form(text, 'text/plain', { client: 'default', tasks: '["cu/gzip"]' }));
    expect(order.state).toBe('completed');
    const [ref] = refsIn(order.result) as [Ref];
    expect(gunzipSync(await bytesOf(ref))).toEqual(text);
  });

  test('a large image comes back as a zipped pyramid of tiles', async () => {
    const order = await system.api.run(
      form(await photo(1500, 1100), 'image/jpeg', { client: 'default', tasks: '["big-function/tiles"]' }),
    );
    expect(order.state).toBe('completed');
    const [ref] = refsIn(order.result) as [Ref];
    const zip = await bytesOf(ref);
    expect(zip.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
    expect(zip.includes('.dzi')).toBe(true);
  });

  test('what is no image, or too large a one, is a clear error of the job', async () => {
    const broken = await system.api.run(
      form(Buffer.from('not an image'), 'image/jpeg', { client: 'default', tasks: '["generic/bright"]' }),
    );
    expect(broken.jobs['bright']).toMatchObject({
      state: 'error',
      error: { kind: 'permanent', code: 'invalid_image' },
    });
    const huge = await sharp({ create: { width: 16_000, height: 16_000, channels: 3, background: 'white' } })
      .png({ compressionLevel: 9 })
      .toBuffer();
    const refused = await system.api.run(form(huge, 'image/png', { client: 'default', tasks: '["generic/bright"]' }));
    expect(refused.jobs['bright']).toMatchObject({ state: 'error', error: { code: 'image_too_large' } });
  });

  test('an order over sixty images brings back sixty', async () => {
    // Given sixty images of a client: more references than travel inline
    const bytes = await photo(12, 8);
    const upload = () =>
      system.api.send<Ref>('POST', '/v1/blobs?client=default', {
        body: new Uint8Array(bytes),
        headers: { 'content-type': 'image/jpeg' },
      });
    const stored = await Promise.all(Array.from({ length: 60 }, upload));
    const input = stored.map(({ body: { blobId } }) => ({ blobId }));
    // When one order is placed over all of them, by a function over lists and by a job for each
    const steps = {
      all: { uses: 'generic/bright' },
      each: { uses: 'generic/bright', forEach: { items: 'input' } },
      both: { uses: 'generic/bright', needs: ['all'] },
    };
    const orders = await Promise.all(['both', 'each'].map((output) => system.api.run({ steps, output, input })));
    // Then each comes back
    for (const order of orders) {
      expect(order.state).toBe('completed');
      const [list] = refsIn(order.result) as [Ref];
      const refs = JSON.parse((await bytesOf(list)).toString()) as Ref[];
      expect(refs).toHaveLength(60);
      expect(await sharp(await bytesOf(refs[59] as Ref)).metadata()).toMatchObject({ width: 12, height: 8 });
    }
  }, 60_000);

  test("a foreign client's blob inside an input is refused without a word on whether it exists", async () => {
    const stored = await system.api.send<Ref>('POST', '/v1/blobs?client=photo-shop', {
      body: new Uint8Array(await photo(10, 10)),
      headers: { 'content-type': 'image/jpeg' },
    });
    expect(stored.status).toBe(201);
    const key = await system.api.send<{ key: string }>('POST', '/v1/api-keys', {
      body: { name: 'other', role: 'client', client: 'default' },
    });
    const other = system.api.as(key.body.key);
    const input = { list: [stored.body] };
    const answer = await other.send('POST', '/v1/orders', { body: { input, tasks: ['generic/bright'] } });
    expect(answer).toMatchObject({ status: 422, body: { code: 'unknown_blob' } });
    expect((await other.send('GET', `/v1/blobs/${stored.body.blobId}`)).status).toBe(404);
  });
});
