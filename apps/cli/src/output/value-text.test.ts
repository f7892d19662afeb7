import { expect, test } from '@jest/globals';
import { agoText, bytesText, shortValue, spanText } from './value-text.ts';

test('a value is told in one line, a blob by the end of its id', () => {
  const blob = { blobId: '0192f0c1-7a11-7c22-8d33-9e44af55b066', mediaType: 'image/png', size: 1234, sha256: 'x' };
  expect(shortValue({ a: [1, 'two', null], image: blob })).toBe(
    '{a: [1, "two", null], image: blob …55b066 (image/png, 1.2 kB)}',
  );
  expect(shortValue(undefined)).toBe('–');
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [60_000_000, '60.0 MB'],
  [123_000_000_000, '123 GB'],
])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

test.each([
  [12, '12 ms'],
  [1500, '1.5 s'],
  [61_000, '1 min 1 s'],
  [7_260_000, '2 h 1 min'],
  [200_000_000, '2 d 7 h'],
])('%d ms are %s', (ms, text) => expect(spanText(ms)).toBe(text));

test('a time is told as so long ago, or as in so long', () => {
  const now = Date.parse('2026-11-21T10:00:00Z');
  expect(agoText('2026-11-21T09:59:58Z', now)).toBe('2.0 s ago');
  expect(agoText('2026-11-21T10:10:00Z', now)).toBe('in 10 min 0 s');
});
