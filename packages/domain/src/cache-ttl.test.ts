import { expect, test } from '@jest/globals';
import { cacheTtlOf } from './cache-ttl.ts';

test('a step says how old a cached result may be, or the order does for cacheable functions', () => {
  expect(cacheTtlOf(null, { cache: { ttlMs: 5 } })).toBe(5);
  expect(cacheTtlOf(9, { cache: { ttlMs: 5 } })).toBe(5);
  expect(cacheTtlOf(9, { cacheable: true })).toBe(9);
  expect(cacheTtlOf(9, { cacheable: false })).toBe(0);
  expect(cacheTtlOf(null, { cacheable: true })).toBe(0);
  expect(cacheTtlOf(0, { cache: { ttlMs: 5 }, cacheable: true })).toBe(0);
});
