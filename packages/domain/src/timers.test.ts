import { expect, test } from '@jest/globals';
import { DEFAULT_TIMERS, completeBy } from './timers.ts';

test('progress extends a run by its complete time, but never past its cap', () => {
  const startedAt = 1_000_000;
  expect(completeBy(startedAt + 60_000, startedAt, DEFAULT_TIMERS)).toBe(
    startedAt + 60_000 + DEFAULT_TIMERS.completeMs,
  );
  const late = startedAt + DEFAULT_TIMERS.completeCapMs - 1;
  expect(completeBy(late, startedAt, DEFAULT_TIMERS)).toBe(startedAt + DEFAULT_TIMERS.completeCapMs);
});
