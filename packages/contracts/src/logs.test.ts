import { expect, test } from '@jest/globals';
import { LOG_LIMITS, boundedLine, type LogLine } from './logs.ts';

const line = (change: Partial<LogLine>): LogLine => ({
  at: '2026-01-01T00:00:00.000Z',
  level: 'info',
  message: 'm',
  ...change,
});
const size = (it: LogLine): number => Buffer.byteLength(JSON.stringify(it));

test('a short line stays as it is', () => {
  const short = line({ fields: { n: 1 } });
  expect(boundedLine(short)).toBe(short);
});

test('of a long line the message is kept, if it can be', () => {
  const long = line({ fields: { text: 'x'.repeat(LOG_LIMITS.lineBytes) } });
  expect(boundedLine(long)).toEqual(line({ truncated: true }));
});

test.each(['x', 'ü', '😀', '\u0000'])('a long message of %j is cut to what a line may have', (character) => {
  const cut = boundedLine(line({ message: character.repeat(LOG_LIMITS.lineBytes) }));
  expect(cut.truncated).toBe(true);
  expect(size(cut)).toBeLessThanOrEqual(LOG_LIMITS.lineBytes);
  expect(size(cut)).toBeGreaterThan(LOG_LIMITS.lineBytes / 2);
});
