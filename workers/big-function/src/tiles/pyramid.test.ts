import { describe, expect, test } from '@jest/globals';
import { describePyramid, pyramidLevels, tileRectangle, tilesOf } from './pyramid.ts';

describe('the levels of a pyramid', () => {
  test('go from the image itself down to one pixel, halved and rounded up', () => {
    expect(pyramidLevels({ width: 1000, height: 300 }, 256).map((l) => [l.level, l.width, l.height])).toEqual([
      [10, 1000, 300],
      [9, 500, 150],
      [8, 250, 75],
      [7, 125, 38],
      [6, 63, 19],
      [5, 32, 10],
      [4, 16, 5],
      [3, 8, 3],
      [2, 4, 2],
      [1, 2, 1],
      [0, 1, 1],
    ]);
  });

  test('are one for a single pixel', () => {
    expect(pyramidLevels({ width: 1, height: 1 }, 256)).toEqual([
      { level: 0, width: 1, height: 1, columns: 1, rows: 1 },
    ]);
  });

  test('count their tiles, a begun one included', () => {
    expect(pyramidLevels({ width: 513, height: 256 }, 256)[0]).toMatchObject({ columns: 3, rows: 1 });
  });

  test('are refused for a size that is none', () => {
    expect(() => pyramidLevels({ width: 0, height: 5 }, 256)).toThrow(RangeError);
    expect(() => pyramidLevels({ width: 5, height: 5 }, 1.5)).toThrow(RangeError);
  });
});

describe('a tile', () => {
  const [level] = pyramidLevels({ width: 600, height: 500 }, 256);

  test('overlaps only the neighbours that it has', () => {
    const at = (column: number, row: number) => tileRectangle(level!, { column, row }, { tileSize: 256, overlap: 2 });
    expect(at(0, 0)).toEqual({ left: 0, top: 0, width: 258, height: 258 });
    expect(at(1, 1)).toEqual({ left: 254, top: 254, width: 260, height: 246 });
    expect(at(2, 0)).toEqual({ left: 510, top: 0, width: 90, height: 258 });
  });

  test('covers the level together with all others exactly once without overlap', () => {
    const pixels = [...tilesOf(level!)]
      .map((tile) => tileRectangle(level!, tile, { tileSize: 256, overlap: 0 }))
      .reduce((sum, { width, height }) => sum + width * height, 0);
    expect(pixels).toBe(600 * 500);
  });
});

test('the descriptor names format, overlap, tile size and image size', () => {
  const text = describePyramid({ width: 7, height: 9 }, { tileSize: 254, overlap: 1, format: 'png' });
  expect(text).toContain('Format="png" Overlap="1" TileSize="254"');
  expect(text).toContain('<Size Width="7" Height="9"/>');
});
