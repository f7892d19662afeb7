import { expect, test } from '@jest/globals';
import { DEFAULT_TIMERS } from './timers.ts';

test('what is told of a worker is given up sooner than what it does', () => {
  const { ackMs, holdMs, startMs, completeMs, completeCapMs } = DEFAULT_TIMERS;
  const rising = [ackMs, holdMs, startMs, completeMs, completeCapMs];
  expect([...rising].sort((a, b) => a - b)).toEqual(rising);
});
