import { expect, test } from '@jest/globals';
import { MAX_ATTEMPTS, retryAfter } from './retry-schedule.ts';

const DAY_MS = 86_400_000;

test('a message is tried ten times over about three days, with ever longer waits', () => {
  const waits = Array.from({ length: MAX_ATTEMPTS }, (_, i) => retryAfter(i + 1, 0));
  expect(waits.at(-1)).toBeNull();
  const numbers = waits.slice(0, -1) as number[];
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(numbers.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(3 * DAY_MS);
});

test('messages that failed together are spread', () => {
  expect(retryAfter(2, 0.999)).toBeGreaterThan(retryAfter(2, 0) as number);
});

test('the receiver may ask for a longer wait, up to a day', () => {
  expect(retryAfter(1, 0, 60_000)).toBe(60_000);
  expect(retryAfter(1, 0, 1)).toBe(5000);
  expect(retryAfter(1, 0, 99 * DAY_MS)).toBe(DAY_MS);
});
