import { expect, test } from '@jest/globals';
import { parseDuration } from './durations.ts';

test('durations are numbers with units, added up', () => {
  expect(['250ms', '90s', '10m', '2h', '1d', '1h30m', '1m500ms'].map(parseDuration)).toEqual([
    ...[250, 90_000, 600_000, 7_200_000, 86_400_000, 5_400_000, 60_500],
  ]);
});

test('anything else is none, and so is nothing or more than a year', () => {
  const texts = ['', '5', 's', '-1s', '1.5h', '1 h', '0s', '367d', '1w', '1'.repeat(60), '1s'.repeat(26)];
  expect(texts.map(parseDuration)).toEqual(texts.map(() => null));
});
