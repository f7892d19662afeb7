import { expect, test } from '@jest/globals';
import { preferredWait } from './wait-for-order.ts';

test.each([
  [undefined, 0],
  ['wait=30', 30],
  ['respond-async, wait=10', 10],
  ['respond-async; wait = "5"', 5],
  ['wait=9999', 60],
  ['await=30', 0],
  ['wait=-1', 0],
  ['return=minimal', 0],
])('Prefer: %s means %s seconds', (header, seconds) => {
  expect(preferredWait(header)).toBe(seconds);
});
