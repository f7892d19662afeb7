import { expect, test } from '@jest/globals';
import { MAX_DURATION_MS, parseDuration } from './durations.ts';

test.each([
  ['250ms', 250],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1h30m', 5_400_000],
  ['1d', 86_400_000],
  ['1m1ms', 60_001],
  ['0s', 0],
  ['366d', MAX_DURATION_MS],
])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each([
  '',
  '1s'.repeat(26),
  '10',
  's',
  '-1s',
  '1.5h',
  '1 h',
  '1h ',
  '1w',
  '367d',
  '9999999999s',
  'ms',
  '1H',
  '1hm',
])('%j is no duration', (text) => expect(parseDuration(text)).toBeNull());
