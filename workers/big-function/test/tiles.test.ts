import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { BlobRef } from '@connecta/contracts';
import { JobFolders, type WorkerFunction } from '@connecta/worker-kit';
import sharp from 'sharp';
import type { Checkpoint } from '../src/tiles/checkpoint.ts';
import { tilesFunction } from '../src/tiles/tiles.ts';
import { TestBlobs, testAttempt } from './function-context.ts';
import { unzipStored } from './unzip.ts';

const SETTINGS = { tileSize: 128, overlap: 1, format: 'png' };
let root: string;
let folders: JobFolders;
let tiles: WorkerFunction;
let blobs: TestBlobs;
let photo: Buffer;
let input: BlobRef;

beforeAll(async () => {
  const noise = { type: 'gaussian', mean: 120, sigma: 40 } as const;
  const create = { width: 701, height: 430, channels: 3, background: '#000', noise } as const;
  photo = await sharp({ create }).blur(3).jpeg({ quality: 95 }).toBuffer();
  root = await mkdtemp(join(tmpdir(), 'tiles-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));
beforeEach(async () => {
  folders = await JobFolders.open(root);
  tiles = tilesFunction(folders);
  blobs = new TestBlobs();
  input = await blobs.create({ mediaType: 'image/jpeg' }, photo);
});
afterEach(async () => {
  const left = (await readdir(root)).map((own) => join(root, own));
  for (const own of left) expect(await readdir(own)).toEqual([]);
  await folders.close();
});

async function archiveOf(settings: object, image: BlobRef = input): Promise<Map<string, Buffer>> {
  const { context } = testAttempt({ blobs, input: image, settings });
  return unzipStored(await blobs.read((await tiles.run(context)).value as BlobRef));
}

async function rawPixels(image: Buffer): Promise<Buffer> {
  return sharp(image).removeAlpha().raw().toBuffer();
}

async function checkpointOf(ref: BlobRef): Promise<Checkpoint> {
  return JSON.parse((await blobs.read(ref)).toString()) as Checkpoint;
}

/** The mean brightness of what a viewer shows. */
async function meanOf(image: Buffer): Promise<number> {
  const shown = sharp(image).autoOrient().flatten({ background: 'white' }).toColourspace('srgb').greyscale();
  const pixels = await shown.raw().toBuffer();
  return pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
}

describe('a pyramid', () => {
  test('has the layout, names and tile sizes that libvips gives it, and its pixels', async () => {
    const ours = await archiveOf(SETTINGS);
    const path = join(root, 'oracle.dz');
    await sharp(photo).png().tile({ size: 128, overlap: 1, layout: 'dz', depth: 'onepixel' }).toFile(path);
    const theirs = join(root, 'oracle_files');
    const names = (await readdir(theirs, { recursive: true })).filter((name) => name.endsWith('.png'));
    expect([...ours.keys()].filter((name) => name.endsWith('.png')).sort()).toEqual(
      names.map((name) => `image_files/${name}`).sort(),
    );
    for (const name of names) {
      const [our, their] = [ours.get(`image_files/${name}`)!, await readFile(join(theirs, name))];
      const [a, b] = [await sharp(our).metadata(), await sharp(their).metadata()];
      expect([name, a.width, a.height]).toEqual([name, b.width, b.height]);
      if (name.startsWith('10/')) expect((await rawPixels(our)).equals(await rawPixels(their))).toBe(true);
    }
    await rm(path, { force: true });
    await rm(join(root, 'oracle.dzi'), { force: true });
    await rm(theirs, { recursive: true, force: true });
    expect(ours.get('image.dzi')!.toString()).toContain('<Size Width="701" Height="430"/>');
  });

  test('halves each level close to a plain resize of the image', async () => {
    const ours = await archiveOf({ ...SETTINGS, tileSize: 4096 });
    const small = await rawPixels(ours.get('image_files/8/0_0.png')!);
    const expected = await sharp(photo).resize(176, 108, { fit: 'fill', kernel: 'linear' }).raw().toBuffer();
    const difference = small.reduce((sum, value, at) => sum + Math.abs(value - expected[at]!), 0) / small.length;
    expect(difference).toBeLessThan(4);
  });

  test.each([
    ['a turned photo', () => sharp(photo).withMetadata({ orientation: 6 }).jpeg().toBuffer(), 430, 701],
    ['a grey image', () => sharp(photo).greyscale().toColourspace('b-w').png().toBuffer(), 701, 430],
    ['an image with alpha', () => sharp(photo).ensureAlpha(0.4).webp().toBuffer(), 701, 430],
    ['16 bits a channel', () => sharp(photo).toColourspace('rgb16').png().toBuffer(), 701, 430],
    ['CMYK', () => sharp(photo).toColourspace('cmyk').tiff().toBuffer(), 701, 430],
  ] as const)('is made of %s', async (_name, make, width, height) => {
    const image = await blobs.create({ mediaType: 'image/any' }, await make());
    for (const format of ['jpeg', 'webp']) {
      const archive = await archiveOf({ tileSize: 4096, format, quality: 80 }, image);
      const tile = archive.get(`image_files/10/0_0.${format}`)!;
      expect(await sharp(tile).metadata()).toMatchObject({ format, width, height });
      expect(Math.abs((await meanOf(tile)) - (await meanOf(await make())))).toBeLessThan(4);
    }
  });
});

describe('progress', () => {
  test('never goes back, and a checkpoint follows each level', async () => {
    const attempt = testAttempt({ blobs, input, settings: SETTINGS });
    await tiles.run(attempt.context);
    const fractions = attempt.told.map((told) => told.fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeCloseTo(0.95);
    const checkpoints = attempt.told.filter((told) => told.checkpoint);
    expect(checkpoints).toHaveLength(11);
    const last = await checkpointOf(checkpoints.at(-1)!.checkpoint!);
    expect(last.levels.map((l) => l.level)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });
});

describe('a second attempt', () => {
  /** Aborts the first attempt once it has told `levels` checkpoints. */
  async function abortAfter(levels: number): Promise<BlobRef> {
    let last: BlobRef | undefined;
    const attempt = testAttempt({
      blobs,
      input,
      settings: SETTINGS,
      onProgress: ({ checkpoint }, self) => {
        last = checkpoint ?? last;
        if (self.told.filter((told) => told.checkpoint).length === levels) self.abort();
      },
    });
    await expect(tiles.run(attempt.context)).rejects.toThrow('the job was aborted');
    return last!;
  }

  test('does not make finished levels again and ends with the same archive, byte for byte', async () => {
    const context = await abortAfter(3);
    const whole = testAttempt({ blobs, input, settings: SETTINGS });
    const expected = await blobs.read((await tiles.run(whole.context)).value as BlobRef);
    const before = new Set(blobs.bytes.keys());
    const second = testAttempt({ blobs, input, settings: SETTINGS, context });
    const archive = await blobs.read((await tiles.run(second.context)).value as BlobRef);
    expect(archive.equals(expected)).toBe(true);
    // Eight levels of eleven: each a pack and a checkpoint, and the archive. The first report is behind three levels.
    expect([...blobs.bytes.keys()].filter((id) => !before.has(id))).toHaveLength(8 * 2 + 1);
    expect(second.told[0]!.fraction).toBeGreaterThan(0.9);
  });

  test('shows that it uses the stored tiles: other tiles in the pack come out in the archive', async () => {
    const context = await abortAfter(1);
    const checkpoint = await checkpointOf(context);
    const pack = blobs.bytes.get(checkpoint.levels[0]!.pack.blobId)!;
    pack.fill(0x2a, 4, 4 + pack.readUInt32BE(0));
    const second = testAttempt({ blobs, input, settings: SETTINGS, context });
    const archive = unzipStored(await blobs.read((await tiles.run(second.context)).value as BlobRef));
    expect(archive.get('image_files/10/0_0.png')!.every((byte) => byte === 0x2a)).toBe(true);
  });

  test('needs nothing but the stored tiles when every level was finished', async () => {
    const first = testAttempt({ blobs, input, settings: SETTINGS });
    const expected = await blobs.read((await tiles.run(first.context)).value as BlobRef);
    const context = first.told.at(-1)!.checkpoint;
    blobs.bytes.delete(input.blobId);
    const second = testAttempt({ blobs, input, settings: SETTINGS, context });
    expect((await blobs.read((await tiles.run(second.context)).value as BlobRef)).equals(expected)).toBe(true);
    expect(second.told).toEqual([]);
  });

  test('makes a level again whose stored tiles are gone, and ignores a context of other work', async () => {
    const context = await abortAfter(2);
    const checkpoint = await checkpointOf(context);
    blobs.bytes.delete(checkpoint.levels[0]!.pack.blobId);
    const again = testAttempt({ blobs, input, settings: SETTINGS, context });
    const archive = await blobs.read((await tiles.run(again.context)).value as BlobRef);
    const other = testAttempt({ blobs, input, settings: { ...SETTINGS, overlap: 4 }, context });
    const grown = unzipStored(await blobs.read((await tiles.run(other.context)).value as BlobRef));
    expect(unzipStored(archive).size).toBe(grown.size);
    expect(await sharp(grown.get('image_files/10/0_0.png')).metadata()).toMatchObject({ width: 132 });
  });
});

describe('a refusal', () => {
  test.each([
    ['image_too_large', { maxPixels: 1000 }, () => photo],
    ['unsupported_image', {}, () => Buffer.from('no image at all')],
    ['unsupported_image', {}, () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
    ['image_unreadable', {}, () => photo.subarray(0, photo.length / 2)],
  ])('with code %s is permanent', async (code, settings, bytes) => {
    const image = await blobs.create({ mediaType: 'image/jpeg' }, bytes());
    const { context } = testAttempt({ blobs, input: image, settings });
    await expect(tiles.run(context)).rejects.toMatchObject({ kind: 'permanent', code });
  });

  test('comes for an input that is no blob', async () => {
    const { context } = testAttempt({ blobs, input: { a: 1 } as never, settings: {} });
    await expect(tiles.run(context)).rejects.toMatchObject({ code: 'invalid_input' });
  });
});

test('an abort while tiles are made ends the run at once and leaves no files', async () => {
  const attempt = testAttempt({
    blobs,
    input,
    settings: SETTINGS,
    onProgress: (_told, self) => self.abort(),
  });
  await expect(tiles.run(attempt.context)).rejects.toThrow('aborted');
  expect(attempt.told).toHaveLength(1);
  expect(existsSync(root)).toBe(true);
});
