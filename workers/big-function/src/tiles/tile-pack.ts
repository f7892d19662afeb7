import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';

const LENGTH_BYTES = 4;

/** Where each tile of a pack lies, in the order of the tiles. */
export interface PackIndex {
  readonly path: string;
  readonly offsets: readonly number[];
  readonly lengths: readonly number[];
}

/**
 * The tiles of one level in one file: each as its length (32 bits, big endian) and its bytes, row by row. A level of a
 * large image has ten thousands of tiles; one blob and one file for all of them keeps a checkpoint to one upload.
 */
export class PackWriter {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  #end = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  static async create(path: string): Promise<PackWriter> {
    return new PackWriter(path, await open(path, 'wx', 0o600));
  }

  /** Appends tiles in order. */
  async append(tiles: readonly Buffer[]): Promise<void> {
    const parts: Buffer[] = [];
    for (const tile of tiles) {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(tile.length);
      parts.push(length, tile);
      this.#offsets.push(this.#end + LENGTH_BYTES);
      this.#lengths.push(tile.length);
      this.#end += LENGTH_BYTES + tile.length;
    }
    await this.#file.writev(parts);
  }

  async finish(): Promise<PackIndex> {
    await this.#file.close();
    return { path: this.#path, offsets: this.#offsets, lengths: this.#lengths };
  }

  /** Closes the file of a pack that is given up; its folder is removed by whoever made it. */
  async abandon(): Promise<void> {
    await this.#file.close();
  }
}

/**
 * Finds the tiles of a pack written earlier; undefined when it does not hold exactly `tileCount` whole tiles, so that
 * a damaged one is made again instead of being zipped.
 */
export async function indexPack(path: string, tileCount: number): Promise<PackIndex | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = Buffer.alloc(LENGTH_BYTES);
    const offsets: number[] = [];
    const lengths: number[] = [];
    let at = 0;
    while (at + LENGTH_BYTES <= size && offsets.length < tileCount) {
      await file.read(head, 0, LENGTH_BYTES, at);
      const length = head.readUInt32BE();
      offsets.push(at + LENGTH_BYTES);
      lengths.push(length);
      at += LENGTH_BYTES + length;
    }
    return at === size && offsets.length === tileCount ? { path, offsets, lengths } : undefined;
  } finally {
    await file.close();
  }
}

/** Streams one tile of a pack. */
export function readTile(pack: PackIndex, tile: number): Readable {
  const [offset, length] = [pack.offsets[tile], pack.lengths[tile]];
  if (offset === undefined || length === undefined) throw new RangeError(`the pack has no tile ${tile}`);
  return createReadStream(pack.path, { start: offset, end: offset + length - 1 });
}
