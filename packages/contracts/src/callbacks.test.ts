import { expect, test } from '@jest/globals';
import { callbackToken, readCallbackToken } from './callbacks.ts';
import { newId, type JobId } from './ids.ts';

const key = Buffer.alloc(32, 1).toString('base64url');
const target = { jobId: newId<JobId>(), attempt: 2 };

test('a token of a callback leads to its job and attempt, and to nothing when one character is another', () => {
  const token = callbackToken(key, target);
  expect(readCallbackToken(key, token)).toEqual(target);
  for (let i = 0; i < token.length; i++) {
    const other = token[i] === 'B' ? 'C' : 'B';
    expect(readCallbackToken(key, token.slice(0, i) + other + token.slice(i + 1))).toBeNull();
  }
  expect(readCallbackToken(Buffer.alloc(32, 2).toString('base64url'), token)).toBeNull();
  for (const text of ['', '..', 'a.1.b', 'x'.repeat(1000)]) expect(readCallbackToken(key, text)).toBeNull();
});
