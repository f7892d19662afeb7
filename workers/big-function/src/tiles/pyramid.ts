/** Width and height in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A rectangle of pixels inside a level. */
export interface Rectangle extends Size {
  readonly left: number;
  readonly top: number;
}

/** One level of a pyramid: level 0 is one pixel, each next one twice as large, the last one the image itself. */
export interface Level extends Size {
  readonly level: number;
  readonly columns: number;
  readonly rows: number;
}

/** The next smaller level's size: halves, rounded up, as the Deep Zoom format has it. */
export function halfSize({ width, height }: Size): Size {
  return { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
}

/**
 * Every level of an image's Deep Zoom pyramid, the largest first: the order of the work, since a level is made of the
 * next larger one, and the largest holds three quarters of all tiles.
 *
 * @throws RangeError when a size is not a positive integer.
 */
export function pyramidLevels(image: Size, tileSize: number): Level[] {
  for (const size of [image.width, image.height, tileSize]) {
    if (!Number.isSafeInteger(size) || size < 1) throw new RangeError(`${size} is not a size in pixels`);
  }
  const sizes: Size[] = [{ width: image.width, height: image.height }];
  for (let size = sizes[0]; size && (size.width > 1 || size.height > 1);) {
    size = halfSize(size);
    sizes.push(size);
  }
  return sizes.map((size, index) => ({
    ...size,
    level: sizes.length - 1 - index,
    columns: Math.ceil(size.width / tileSize),
    rows: Math.ceil(size.height / tileSize),
  }));
}

/** Where a tile lies in its level: its square, grown by `overlap` pixels towards each neighbour it has. */
export function tileRectangle(
  level: Level,
  tile: { column: number; row: number },
  { tileSize, overlap }: { tileSize: number; overlap: number },
): Rectangle {
  const along = (index: number, length: number): [start: number, end: number] => [
    Math.max(0, index * tileSize - overlap),
    Math.min(length, (index + 1) * tileSize + overlap),
  ];
  const [left, right] = along(tile.column, level.width);
  const [top, bottom] = along(tile.row, level.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** All tiles of a level, row by row: the order in which they are kept in a level's pack and in the archive. */
export function* tilesOf(level: Level): Generator<{ column: number; row: number }> {
  for (let row = 0; row < level.rows; row++) {
    for (let column = 0; column < level.columns; column++) yield { column, row };
  }
}

/** The descriptor (.dzi) that a Deep Zoom viewer reads first. */
export function describePyramid(
  image: Size,
  { tileSize, overlap, format }: { tileSize: number; overlap: number; format: string },
): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="${format}" ` +
    `Overlap="${overlap}" TileSize="${tileSize}">\n` +
    `  <Size Width="${image.width}" Height="${image.height}"/>\n</Image>\n`
  );
}
