import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import { describePyramid, tilesOf, type Level, type Size } from './pyramid.ts';
import type { TilesPlan } from './settings.ts';
import { readTile, type PackIndex } from './tile-pack.ts';

/** The same date in every archive, so that equal tiles make an equal archive. */
const MADE_AT = new Date(2000, 0, 1);

/** Streams the archive: the descriptor, then the tiles of every level, stored as they are (they are compressed). */
export function zipPyramid(options: {
  image: Size;
  plan: TilesPlan;
  levels: readonly { level: Level; pack: PackIndex }[];
}): Readable {
  const { image, plan } = options;
  const zip = new ZipFile();
  const out = Readable.from(zip.outputStream, { objectMode: false });
  const entry = { mtime: MADE_AT, compress: false, forceDosTimestamp: true };
  zip.addBuffer(Buffer.from(describePyramid(image, plan)), `${plan.name}.dzi`, entry);
  for (const { level, pack } of options.levels) {
    let index = 0;
    for (const { column, row } of tilesOf(level)) {
      const tile = index++;
      const name = `${plan.name}_files/${level.level}/${column}_${row}.${plan.format}`;
      zip.addReadStreamLazy(name, { ...entry, size: pack.lengths[tile] ?? 0 }, (give) => {
        give(
          undefined,
          readTile(pack, tile).on('error', (error) => out.destroy(error)),
        );
      });
    }
  }
  zip.on('error', (error: unknown) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  zip.end();
  return out;
}
