import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { BlobRef, JsonValue } from '@connecta/contracts';
import { FunctionTrial, JobFolders, type WorkerFunction } from '@connecta/worker-kit';
import sharp, { type Sharp } from 'sharp';
import { genericFunctions } from '../functions.ts';
import { samples } from '../samples.ts';

const trial = new FunctionTrial();
let root: string;
let folders: JobFolders;
let byName: Map<string, WorkerFunction>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'generic-test-'));
  folders = await JobFolders.open(root);
  byName = new Map(genericFunctions({ folders }).map((definition) => [definition.name, definition]));
});
afterAll(async () => {
  await folders.close();
  await rm(root, { recursive: true });
});

type Colour = { r: number; g: number; b: number; alpha?: number };
const plain = (width: number, height: number, background: Colour): Sharp =>
  sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } });
const noisy = (width: number, height: number): Promise<Buffer> => {
  const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
  return sharp({ create: { width, height, channels: 3, background: { r: 0, g: 0, b: 0 }, noise } })
    .jpeg()
    .toBuffer();
};
const store = async (image: Sharp | Buffer, mediaType = 'image/png'): Promise<BlobRef> =>
  trial.blobs.create({ mediaType }, Buffer.isBuffer(image) ? image : await image.png().toBuffer());
const run = async (name: string, settings: object, input: JsonValue): Promise<JsonValue> => {
  const definition = byName.get(name);
  if (!definition) throw new Error(`no ${name}`);
  return (await trial.run(definition, { settings: settings as never, input })).value;
};
const sample = (name: string) => {
  const found = samples.find((profile) => profile.name === name);
  if (!found) throw new Error(`no sample ${name}`);
  return found;
};
const runSample = (name: string, input: JsonValue) => run(sample(name).function, sample(name).settings, input);
const read = async (ref: JsonValue): Promise<Sharp> => sharp(await trial.blobs.read(ref as BlobRef));
const pixel = async (ref: JsonValue, left: number, top: number): Promise<number[]> => {
  const { data } = await (
    await read(ref)
  )
    .extract({ left, top, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data];
};

describe('image.adjust', () => {
  test('makes an image brighter and keeps its form and format', async () => {
    const blob = await store(plain(20, 10, { r: 100, g: 100, b: 100 }));
    const made = (await run('image.adjust', { brightness: 1.5 }, blob)) as BlobRef;
    expect(made.mediaType).toBe('image/png');
    const [value] = await pixel(made, 5, 5);
    expect(value).toBeGreaterThan(130);
    expect(await (await read(made)).metadata()).toMatchObject({ width: 20, height: 10, format: 'png' });
  });

  test('takes colour and contrast away or adds to them', async () => {
    const blob = await store(plain(4, 4, { r: 200, g: 50, b: 50 }));
    const [r = 0, g = 0, b = 0] = await pixel(await run('image.adjust', { saturation: 0 }, blob), 1, 1);
    expect(Math.max(r, g, b) - Math.min(r, g, b)).toBeLessThanOrEqual(3);
    const grey = await store(plain(4, 4, { r: 160, g: 96, b: 128 }));
    expect(await pixel(await run('image.adjust', { contrast: 2 }, grey), 1, 1)).toEqual([192, 64, 128]);
    expect(await pixel(await run('image.adjust', {}, grey), 1, 1)).toEqual([160, 96, 128]);
  });

  test('keeps transparency, and puts white below it for JPEG', async () => {
    const blob = await store(plain(4, 4, { r: 0, g: 0, b: 0, alpha: 0 }));
    expect((await pixel(await run('image.adjust', { brightness: 2, contrast: 1.5 }, blob), 1, 1))[3]).toBe(0);
    const jpeg = (await run('image.adjust', { format: 'jpeg' }, blob)) as BlobRef;
    expect(jpeg.mediaType).toBe('image/jpeg');
    expect((await pixel(jpeg, 1, 1))[0]).toBeGreaterThan(250);
  });

  test('turns an image the right way up', async () => {
    const turned = await plain(30, 10, { r: 255, g: 0, b: 0 }).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const made = await run('image.adjust', {}, await store(turned, 'image/jpeg'));
    expect(await (await read(made)).metadata()).toMatchObject({ width: 10, height: 30, format: 'jpeg' });
  });

  test.each(['jpeg', 'png', 'webp', 'avif', 'tiff'] as const)('reads and writes %s', async (format) => {
    const bytes = await plain(32, 16, { r: 10, g: 200, b: 30 }).toFormat(format).toBuffer();
    const made = (await run('image.adjust', {}, await store(bytes, 'application/octet-stream'))) as BlobRef;
    expect(made.mediaType).toBe(`image/${format}`);
    const [, green = 0] = await pixel(made, 8, 8);
    expect(Math.abs(green - 200)).toBeLessThan(12);
  });
});

describe('image.resize', () => {
  test('makes an image of each named width, in proportion', async () => {
    const blob = await store(plain(400, 200, { r: 1, g: 2, b: 3 }));
    const widths = [
      { name: 'small', width: 100 },
      { name: 'large', width: 800 },
    ];
    const made = await run('image.resize', { widths }, blob);
    expect(made).toMatchObject([
      { name: 'small', width: 100, height: 50, image: { mediaType: 'image/png' } },
      { name: 'large', width: 800, height: 400 },
    ]);
    expect(await run('image.resize', { widths, enlarge: false }, blob)).toMatchObject([{ width: 100 }, { width: 400 }]);
    const [small] = made as { image: BlobRef }[];
    expect(await (await read(small?.image as never)).metadata()).toMatchObject({ width: 100, height: 50 });
  });

  test('names the images of a list', async () => {
    const one = await store(plain(8, 8, { r: 1, g: 2, b: 3 }));
    const named = { name: 'cover', image: one, width: 8, height: 8 };
    const widths = [{ name: 's', width: 4 }];
    expect(await run('image.resize', { widths }, [one, named])).toMatchObject([{ name: '1-s' }, { name: 'cover-s' }]);
  });

  test('makes nothing that is too large', async () => {
    const blob = await store(plain(10, 1000, { r: 1, g: 2, b: 3 }));
    const settings = { widths: [{ name: 'x', width: 20_000 }] };
    await expect(run('image.resize', settings, blob)).rejects.toMatchObject({ code: 'image_too_large' });
  });
});

describe('image.watermark', () => {
  const black = { r: 0, g: 0, b: 0 };
  const changed = async (ref: JsonValue, box: { left: number; top: number; width: number; height: number }) =>
    (await sharp(await (await read(ref)).extract(box).png().toBuffer()).stats()).channels[0]?.max ?? 0;

  test('writes a text where gravity says, and nowhere else', async () => {
    const blob = await store(plain(400, 200, black));
    const made = await run('image.watermark', { text: 'A <b> & ä', gravity: 'northwest', opacity: 1, size: 0.4 }, blob);
    expect(await changed(made, { left: 0, top: 0, width: 180, height: 60 })).toBeGreaterThan(200);
    expect(await changed(made, { left: 200, top: 0, width: 200, height: 200 })).toBe(0);
    expect(await changed(made, { left: 0, top: 120, width: 400, height: 80 })).toBe(0);
    expect(await changed(made, { left: 0, top: 0, width: 7, height: 200 })).toBe(0);
  });

  test('puts an image at its size and opacity', async () => {
    const blob = await store(plain(200, 100, black));
    const image = (await plain(10, 10, { r: 255, g: 255, b: 255 }).png().toBuffer()).toString('base64');
    const settings = { image, gravity: 'southeast', opacity: 0.5, size: 0.1, margin: 0 };
    const made = await run('image.watermark', settings, blob);
    const [value = 0] = await pixel(made, 190, 90);
    expect(Math.abs(value - 128)).toBeLessThan(4);
    expect(await pixel(made, 178, 78)).toEqual([0, 0, 0]);
    expect((await pixel(made, 181, 81))[0]).toBeGreaterThan(60);
  });

  test('fits a mark into an image that is smaller than it', async () => {
    for (const [width, height] of [
      [1, 1],
      [2, 90],
      [300, 3],
    ] as const) {
      const blob = await store(plain(width, height, black));
      const made = await run('image.watermark', { text: 'W', size: 1, margin: 0.45, gravity: 'center' }, blob);
      expect(await (await read(made)).metadata()).toMatchObject({ width, height });
    }
  });

  test('needs exactly one of text and image, and an image that is one', async () => {
    const blob = await store(plain(10, 10, black));
    for (const settings of [{}, { text: 'a', image: 'AAAA' }, { text: ' ' }, { text: 'a\0' }, { image: 'AAAA' }])
      await expect(run('image.watermark', settings, blob)).rejects.toMatchObject({ code: 'invalid_settings' });
  });
});

describe('image functions', () => {
  test('fit together: a photo through the samples is three marked images of the named widths', async () => {
    const photo = await sharp({
      create: {
        width: 640,
        height: 480,
        channels: 3,
        background: black,
        noise: { type: 'gaussian', mean: 90, sigma: 20 },
      },
    })
      .jpeg()
      .toBuffer();
    const bright = await runSample('bright', await store(photo, 'image/jpeg'));
    const sizes = await runSample('device-sizes', bright);
    const marked = (await runSample('client-x-mark', sizes)) as { name: string; width: number; image: BlobRef }[];
    expect(marked.map(({ name, width }) => [name, width])).toEqual([
      ['phone', 480],
      ['tablet', 1024],
      ['desktop', 1920],
    ]);
    for (const [index, { image, width }] of marked.entries()) {
      const metadata = await (await read(image)).metadata();
      expect(metadata).toMatchObject({ format: 'jpeg', width, height: (width * 3) / 4 });
      const before = (sizes as { image: BlobRef }[])[index]?.image as BlobRef;
      expect(image.sha256).not.toBe(before.sha256);
    }
  });

  const black = { r: 0, g: 0, b: 0 };
  test.each([
    ['bytes that are no image', async () => store(Buffer.from('hello'), 'image/png'), 'invalid_image'],
    ['nothing', async () => store(Buffer.alloc(0), 'image/png'), 'invalid_image'],
    ['half an image', async () => store((await noisy(150, 150)).subarray(0, 2000)), 'invalid_image'],
    [
      'an SVG',
      async () => store(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')),
      'invalid_image',
    ],
    ['too many pixels', async () => store(plain(200, 200, black)), 'image_too_large'],
  ])('refuse %s for good', async (_what, make, code) => {
    const input = await make();
    for (const [name, settings] of [
      ['image.adjust', { maxPixels: 30_000 }],
      ['image.resize', { maxPixels: 30_000, widths: [{ name: 'a', width: 5 }] }],
      ['image.watermark', { maxPixels: 30_000, text: 'x' }],
    ] as const)
      await expect(run(name, settings, input)).rejects.toMatchObject({ kind: 'permanent', code });
  });

  test('take images only', async () => {
    for (const input of [5, [], { a: 1 }, ['x']] as JsonValue[])
      await expect(run('image.adjust', {}, input)).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('keep large files out of memory, and leave none behind', async () => {
    const noise = { type: 'gaussian' as const, mean: 128, sigma: 60 };
    const large = await sharp({ create: { width: 2200, height: 1800, channels: 3, background: black, noise } })
      .png({ compressionLevel: 0 })
      .toBuffer();
    expect(large.length).toBeGreaterThan(9_000_000);
    const made = await run('image.resize', { widths: [{ name: 'a', width: 50 }] }, await store(large));
    expect(made).toMatchObject([{ width: 50 }]);
  });
});
