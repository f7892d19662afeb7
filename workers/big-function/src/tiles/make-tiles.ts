import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { BlobRef } from '@connecta/contracts';
import type { FunctionContext } from '@connecta/worker-kit';
import sharp from 'sharp';
import { readCheckpoint, workFingerprint, writeCheckpoint, type FinishedLevel } from './checkpoint.ts';
import { decodeImage } from './decode-image.ts';
import { encodeLevel } from './encode-level.ts';
import type { LevelPixels } from './level-pixels.ts';
import { pyramidLevels, type Level, type Size } from './pyramid.ts';
import type { TilesPlan, TilesSettings } from './settings.ts';
import { indexPack, type PackIndex } from './tile-pack.ts';
import { zipPyramid } from './zip-pyramid.ts';

/** Larger contexts are not ours: a hundred levels take less. */
const MAX_CHECKPOINT_BYTES = 1024 * 1024;
/** The share of the work that making tiles is counted as; the rest is zipping and storing them. */
const TILES_SHARE = 0.95;

type Context = FunctionContext<TilesSettings>;

/**
 * One run of `image.tiles`: source → pixels → for each level from the largest down: tiles, a stored pack, a checkpoint,
 * and the pixels of the next level → archive. A level that the checkpoint of an earlier attempt names is not encoded
 * again: its pack is fetched instead; only its pixels are halved on the way to the first unfinished level.
 */
export class TilesRun {
  readonly #context: Context;
  readonly #input: BlobRef;
  readonly #plan: TilesPlan;
  readonly #folder: string;
  readonly #work: string;
  readonly #packs = new Map<number, PackIndex>();
  readonly #finished: FinishedLevel[] = [];
  #donePixels = 0;

  constructor(options: { context: Context; input: BlobRef; plan: TilesPlan; folder: string }) {
    this.#context = options.context;
    this.#input = options.input;
    this.#plan = options.plan;
    this.#folder = options.folder;
    this.#work = workFingerprint(options.input, options.plan, sharp.versions.vips);
  }

  /** Makes the archive and stores it. */
  async run(): Promise<BlobRef> {
    const known = await this.#resume();
    const image = known && this.#isFinished(known) ? known : await this.#makeLevels();
    const levels = pyramidLevels(image, this.#plan.tileSize).flatMap((level) => {
      const pack = this.#packs.get(level.level);
      return pack ? [{ level, pack }] : [];
    });
    const archive = addAbortSignal(this.#context.signal, zipPyramid({ image, plan: this.#plan, levels }));
    const fileName = `${this.#plan.name}.zip`;
    return this.#context.blobs.create({ mediaType: 'application/zip', fileName }, archive);
  }

  #isFinished(image: Size): boolean {
    return pyramidLevels(image, this.#plan.tileSize).every(({ level }) => this.#packs.has(level));
  }

  /** Fetches what an earlier attempt finished. */
  async #resume(): Promise<Size | undefined> {
    const { context, blobs, signal, log } = this.#context;
    if (context === undefined || context.size > MAX_CHECKPOINT_BYTES) return undefined;
    const checkpoint = readCheckpoint(await buffer(await blobs.open(context)), this.#work);
    if (!checkpoint) {
      log.info({ contextBlobId: context.blobId }, 'the context is not of this work: beginning anew');
      return undefined;
    }
    const levels = pyramidLevels(checkpoint, this.#plan.tileSize);
    for (const finished of checkpoint.levels) {
      signal.throwIfAborted();
      const level = levels.find((l) => l.level === finished.level);
      const pack = level && (await this.#fetchPack(level, finished.pack));
      if (!level || !pack) continue;
      this.#packs.set(level.level, pack);
      this.#finished.push(finished);
      this.#donePixels += level.width * level.height;
    }
    log.info({ levels: this.#finished.map((f) => f.level) }, 'going on from a checkpoint');
    return checkpoint;
  }

  /** A pack that is gone or damaged only costs making its level again. */
  async #fetchPack(level: Level, ref: BlobRef): Promise<PackIndex | undefined> {
    const { blobs, signal, log } = this.#context;
    const path = join(this.#folder, `kept-${level.level}`);
    try {
      await pipeline(await blobs.open(ref), createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
      return await indexPack(path, level.columns * level.rows);
    } catch (err) {
      signal.throwIfAborted();
      log.warn({ err, level: level.level, packBlobId: ref.blobId }, 'the tiles of a level could not be fetched');
      return undefined;
    }
  }

  async #makeLevels(): Promise<Size> {
    const { signal } = this.#context;
    let pixels = await this.#decode();
    try {
      const image: Size = { width: pixels.width, height: pixels.height };
      const levels = pyramidLevels(image, this.#plan.tileSize);
      const totalPixels = levels.reduce((sum, { width, height }) => sum + width * height, 0);
      for (const [index, level] of levels.entries()) {
        signal.throwIfAborted();
        if (!this.#packs.has(level.level)) await this.#makeLevel({ level, pixels, image, totalPixels });
        if (levels.slice(index + 1).every((next) => this.#packs.has(next.level))) break;
        const smaller = await pixels.shrink(join(this.#folder, `pixels-${level.level - 1}`), signal);
        await pixels.discard();
        pixels = smaller;
      }
      return image;
    } finally {
      await pixels.discard();
    }
  }

  async #decode(): Promise<LevelPixels> {
    const { blobs, signal } = this.#context;
    const source = join(this.#folder, 'source');
    await pipeline(await blobs.open(this.#input), createWriteStream(source, { flags: 'wx', mode: 0o600 }), { signal });
    return decodeImage({ source, folder: this.#folder, maxPixels: this.#plan.maxPixels, signal });
  }

  /** Makes the tiles of one level, stores them and tells the checkpoint. */
  async #makeLevel(options: { level: Level; pixels: LevelPixels; image: Size; totalPixels: number }): Promise<void> {
    const { level, pixels, image, totalPixels } = options;
    const { blobs, signal } = this.#context;
    const tiles = level.columns * level.rows;
    const levelPixels = level.width * level.height;
    let made = 0;
    const pack = await encodeLevel({
      pixels,
      level,
      plan: this.#plan,
      folder: this.#folder,
      signal,
      onBatch: async (count) => {
        made += count;
        await this.#context.progress((TILES_SHARE * (this.#donePixels + (levelPixels * made) / tiles)) / totalPixels);
      },
    });
    this.#donePixels += levelPixels;
    const ref = await blobs.create({ mediaType: 'application/octet-stream' }, createReadStream(pack.path));
    this.#packs.set(level.level, pack);
    this.#finished.push({ level: level.level, tiles, pack: ref });
    const state = writeCheckpoint(this.#work, image, this.#finished);
    const checkpoint = await blobs.create({ mediaType: 'application/json' }, state);
    await this.#context.progress((TILES_SHARE * this.#donePixels) / totalPixels, checkpoint);
  }
}
