import { describe, expect, test } from '@jest/globals';
import { parseRange } from './range.ts';

describe('a range', () => {
  test.each([
    ['bytes=0-0', { start: 0, length: 1 }],
    ['bytes=2-5', { start: 2, length: 4 }],
    ['bytes=5-', { start: 5, length: 5 }],
    ['bytes=5-99', { start: 5, length: 5 }],
    ['bytes=-3', { start: 7, length: 3 }],
    ['bytes=-99', { start: 0, length: 10 }],
  ])('%s of ten bytes', (header, range) => {
    expect(parseRange(header, 10)).toEqual(range);
  });

  test.each([undefined, '', 'bytes=-', 'bytes=5-2', 'lines=1-2', 'bytes=1-2,4-5', 'bytes=a-b'])(
    '%s means the whole',
    (header) => {
      expect(parseRange(header, 10)).toBeNull();
    },
  );

  test.each([
    ['bytes=10-', 10],
    ['bytes=99-100', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
    ['bytes=-1', 0],
  ])('%s of %i bytes cannot be served', (header, size) => {
    expect(() => parseRange(header, size)).toThrow(
      expect.objectContaining({ code: 'range_not_satisfiable', headers: { 'Content-Range': `bytes */${size}` } }),
    );
  });
});
