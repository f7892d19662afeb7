import { join } from 'node:path';
import sharp from 'sharp';
import type { LevelPixels } from './level-pixels.ts';
import { tileRectangle, tilesOf, type Level } from './pyramid.ts';
import type { TilesPlan } from './settings.ts';
import { PackWriter, type PackIndex } from './tile-pack.ts';

/** Tiles encoded at the same time: enough to keep libvips' threads busy, few enough to bound the memory. */
const BATCH_TILES = 8;

/** Encodes one tile. The same pixels and plan always give the same bytes. */
async function encodeTile(pixels: LevelPixels, at: { column: number; row: number }, level: Level, plan: TilesPlan) {
  const rectangle = tileRectangle(level, at, plan);
  const { width, height } = rectangle;
  const channels = pixels.channels as 1 | 2 | 3 | 4;
  const tile = sharp(await pixels.read(rectangle), { raw: { width, height, channels } });
  switch (plan.format) {
    case 'jpeg':
      return tile.flatten({ background: 'white' }).jpeg({ quality: plan.quality }).toBuffer();
    case 'png':
      return tile.png().toBuffer();
    case 'webp':
      return tile.webp({ quality: plan.quality }).toBuffer();
  }
}

/** Makes all tiles of a level into a pack in `folder`, in batches; tells after each batch how many it held. */
export async function encodeLevel(options: {
  pixels: LevelPixels;
  level: Level;
  plan: TilesPlan;
  folder: string;
  signal: AbortSignal;
  onBatch: (tiles: number) => Promise<void>;
}): Promise<PackIndex> {
  const { pixels, level, plan, signal } = options;
  const pack = await PackWriter.create(join(options.folder, `level-${level.level}`));
  try {
    const tiles = [...tilesOf(level)];
    for (let begin = 0; begin < tiles.length; begin += BATCH_TILES) {
      signal.throwIfAborted();
      const batch = tiles.slice(begin, begin + BATCH_TILES);
      await pack.append(await Promise.all(batch.map((tile) => encodeTile(pixels, tile, level, plan))));
      await options.onBatch(batch.length);
    }
    return await pack.finish();
  } catch (error) {
    await pack.abandon();
    throw error;
  }
}
