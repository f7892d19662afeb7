import { expect, test } from '@jest/globals';
import { EXIT, exitCodeOf, reasonOf } from './failures.ts';

test.each([
  [401, EXIT.notAllowed],
  [403, EXIT.notAllowed],
  [404, EXIT.notFound],
  [410, EXIT.notFound],
  [409, EXIT.conflict],
  [412, EXIT.conflict],
  [428, EXIT.conflict],
  [400, EXIT.invalid],
  [413, EXIT.invalid],
  [422, EXIT.invalid],
  [429, EXIT.unavailable],
  [500, EXIT.unavailable],
  [503, EXIT.unavailable],
])('a refusal with %d ends with %d', (status, code) => expect(exitCodeOf(status)).toBe(code));

test('the numbers that scripts build on stay as they are', () => {
  expect(EXIT).toEqual({
    ...{ ok: 0, failed: 1, usage: 2, unreachable: 3, notAllowed: 4, notFound: 5, conflict: 6, invalid: 7 },
    ...{ unavailable: 8, interrupted: 130 },
  });
});

test('a broken connection is told by its cause, in words', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
  expect(reasonOf(new TypeError('fetch failed', { cause: refused }))).toBe('nothing listens there');
  expect(reasonOf(new TypeError('fetch failed', { cause: new AggregateError([refused]) }))).toBe(
    'nothing listens there',
  );
  expect(reasonOf(new DOMException('The operation timed out', 'TimeoutError'))).toBe('it did not answer in time');
});
