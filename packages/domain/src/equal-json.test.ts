import { expect, test } from '@jest/globals';
import { isEqualJson } from './equal-json.ts';

test.each<[unknown, unknown]>([
  [null, null],
  [
    { a: 1, b: [0, { c: 'x' }] },
    { b: [-0, { c: 'x' }], a: 1 },
  ],
  [[], []],
])('%j is the same as %j', (a, b) => {
  expect(isEqualJson(a, b)).toBe(true);
});

test.each<[unknown, unknown]>([
  [1, '1'],
  [null, {}],
  [{}, null],
  ['', {}],
  [{}, ''],
  [[], {}],
  [{ a: 1 }, { a: 1, b: 2 }],
  [{ a: null }, { b: null }],
  [{ toString: null }, { a: null }],
  [
    [1, 2],
    [2, 1],
  ],
])('%j is not the same as %j', (a, b) => {
  expect(isEqualJson(a, b)).toBe(false);
});
