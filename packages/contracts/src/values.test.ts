import { describe, expect, test } from '@jest/globals';
import { newId, type BlobId } from './ids.ts';
import {
  MAX_JSON_DEPTH,
  blobRefsIn,
  fileRefsIn,
  isBlobRef,
  isDeeperThan,
  isFileValue,
  isStorable,
  jsonBytes,
  type BlobRef,
  type JsonValue,
} from './values.ts';

const ref = (): BlobRef => ({ blobId: newId<BlobId>(), mediaType: 'image/png', size: 3, sha256: 'a'.repeat(64) });
const nested = (depth: number, core: JsonValue): JsonValue => {
  let value = core;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { in: value };
  return value;
};

describe('blob references', () => {
  test('are exactly four members', () => {
    expect(isBlobRef(ref())).toBe(true);
    const { size: _, ...short } = ref();
    const others: unknown[] = [null, 'text', [], short, { ...ref(), more: 1 }, { ...ref(), blobId: 'x' }];
    others.push({ ...ref(), sha256: 'A'.repeat(64) }, { ...ref(), size: -1 }, { ...ref(), size: 1.5 });
    others.push({ ...ref(), blobId: newId().toUpperCase() }, { ...ref(), mediaType: 'a\0b' });
    for (const value of others) expect(isBlobRef(value)).toBe(false);
  });

  test('are found at any depth, in document order, each id once', () => {
    const [a, b, c] = [ref(), ref(), ref()];
    expect(blobRefsIn({ z: a as never, list: [b as never, { c: c as never }, a as never] })).toEqual([a, b, c]);
    expect(blobRefsIn(a as never)).toEqual([a]);
    expect(blobRefsIn(nested(MAX_JSON_DEPTH, a as never))).toEqual([a]);
    expect(blobRefsIn([1, null, 'x', { blobId: 'no' }])).toEqual([]);
  });
});

describe('legacy files', () => {
  const file = { share: 'in', path: 'a/b.txt' };

  test('are exactly {file: {share, path}}', () => {
    expect(isFileValue({ file })).toBe(true);
    for (const value of [file, { file, more: 1 }, { file: { share: 'in' } }, { file: { ...file, share: '' } }, null]) {
      expect(isFileValue(value)).toBe(false);
    }
  });

  test('are found at any depth', () => {
    expect(fileRefsIn([{ file }, { deep: [{ file: { ...file, path: 'c' } }] }])).toEqual([
      file,
      { ...file, path: 'c' },
    ]);
  });
});

describe('isDeeperThan counts the containers around a value', () => {
  test.each([
    [0, 0, false],
    [1, 0, true],
    [MAX_JSON_DEPTH, MAX_JSON_DEPTH, false],
    [MAX_JSON_DEPTH + 1, MAX_JSON_DEPTH, true],
    [100_000, MAX_JSON_DEPTH, true],
  ])('%d containers, %d allowed: %s', (depth, max, deeper) => {
    expect(isDeeperThan(nested(depth, 'core'), max)).toBe(deeper);
  });

  test('does not mind width', () => {
    expect(isDeeperThan(Array.from({ length: 200_000 }, () => 1))).toBe(false);
  });
});

describe('isStorable', () => {
  test.each<[string, JsonValue, boolean]>([
    ['plain text', 'ä 😀 "quoted" \\', true],
    ['NUL', 'a\0b', false],
    ['NUL in a name', { 'a\0': 1 }, false],
    ['NUL after backslashes', '\\\\\0', false],
    ['the first half of a character', ['\ud83d'], false],
    ['the second half of a character', '\ude00', false],
    ['halves in the wrong order', '\ude00\ud83d', false],
    ['text that only looks like an escape', 'a\\u0000 \\ud800', true],
    ['the same behind an odd number of backslashes', '\\\\\\u0000', true],
    ['numbers, true and null', [1, true, null, { a: -0 }], true],
  ])('%s', (_, value, storable) => expect(isStorable(value)).toBe(storable));

  test('takes its time in proportion to the text', () => {
    const before = Date.now();
    expect(isStorable('\\'.repeat(1_000_000))).toBe(true);
    expect(Date.now() - before).toBeLessThan(2000);
  });
});

test('jsonBytes counts UTF-8 as it travels', () => {
  expect(jsonBytes('ä')).toBe(4);
  expect(jsonBytes({ a: [1, '😀'] })).toBe(Buffer.byteLength('{"a":[1,"😀"]}'));
});
