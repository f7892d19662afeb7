import { expect, test } from '@jest/globals';
import { blobsIn, compareValues, withFiles, withoutIds } from './compare-outcomes.ts';

const exact = { numbers: 0, images: 0, ignore: [] };
const blob = (sha256: string) => ({ blobId: crypto.randomUUID(), mediaType: 'image/png', size: 3, sha256 });

test('the same blobs under other ids are the same outcome', () => {
  const one = withoutIds({ result: [{ image: blob('a'), width: 1 }] });
  const other = withoutIds({ result: [{ image: blob('a'), width: 1 }] });
  expect(compareValues(one, other, exact)).toEqual({ differences: [], blobs: [] });
});

test('each difference has its place', () => {
  const expected = { result: { a: 1, b: [1, 2], 'c/d': 'x' } };
  const actual = { result: { a: 2, b: [1], 'c/d': 'x', e: null } };
  expect(compareValues(expected, actual, exact).differences).toEqual([
    { path: '/result/a', message: 'is 2, expected 1' },
    { path: '/result/b/1', message: 'is missing, expected 2' },
    { path: '/result/e', message: 'is new: null' },
  ]);
});

test('numbers may differ by the tolerance, and no more', () => {
  const within = { ...exact, numbers: 0.1 };
  expect(compareValues({ a: 1 }, { a: 1.1 }, { ...within, numbers: 0.11 }).differences).toEqual([]);
  expect(compareValues({ a: 1 }, { a: 1.2 }, within).differences).toHaveLength(1);
  expect(compareValues({ a: 1 }, { a: '1' }, within).differences).toHaveLength(1);
});

test('what is ignored may be anything, or missing', () => {
  const ignoring = { ...exact, ignore: ['/result/at'] };
  expect(compareValues({ result: { at: 1 } }, { result: {} }, ignoring).differences).toEqual([]);
});

test('blobs with other bytes are left to who can read them; a value in place of a blob is a difference', () => {
  const expected = withoutIds({ result: blob('a') });
  expect(compareValues(expected, withoutIds({ result: blob('b') }), exact).blobs).toMatchObject([
    { path: '/result', expected: { sha256: 'a' }, actual: { sha256: 'b' } },
  ]);
  expect(compareValues(expected, { result: 5 }, exact).differences).toHaveLength(1);
});

test('a recorded blob knows the file that its bytes are in', () => {
  const result = { images: [blob('a')] };
  expect(blobsIn(result, '/result').map(({ path }) => path)).toEqual(['/result/images/0']);
  const files = new Map([['/result/images/0', 'expected/x.png']]);
  expect(withFiles({ result: withoutIds(result) }, files)).toEqual({
    result: { images: [{ $blob: { mediaType: 'image/png', size: 3, sha256: 'a', file: 'expected/x.png' } }] },
  });
});
