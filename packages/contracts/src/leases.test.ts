import { describe, expect, test } from '@jest/globals';
import { newId, type JobId, type OrderId } from './ids.ts';
import { leaseKey, readLease, signLease, type Lease } from './leases.ts';

const keyOf = (byte: number) => leaseKey(Buffer.alloc(32, byte).toString('base64url'));
const key = keyOf(1);
const lease: Lease = {
  ...{ orderId: newId<OrderId>(), jobId: newId<JobId>() },
  ...{ attempt: 3, workerType: 'big-function', expiresAtMs: 1_790_000_000_000 },
};

describe('leases', () => {
  test('come back as they were signed', () => {
    expect(readLease(key, signLease(key, lease))).toEqual(lease);
  });

  test('are refused when any one character is another, missing or added', () => {
    const token = signLease(key, lease);
    for (let i = 0; i < token.length; i++) {
      const other = token[i] === 'A' ? 'B' : 'A';
      expect(readLease(key, token.slice(0, i) + other + token.slice(i + 1))).toBeNull();
      expect(readLease(key, token.slice(0, i) + token.slice(i + 1))).toBeNull();
      expect(readLease(key, `${token.slice(0, i)}.${token.slice(i)}`)).toBeNull();
    }
  });

  test('are refused under another key, and when they are none', () => {
    expect(readLease(keyOf(2), signLease(key, lease))).toBeNull();
    for (const text of ['', '.', '.....', 'text', '😀.😀', 'a'.repeat(10_000)]) expect(readLease(key, text)).toBeNull();
  });

  test('need a key of 32 bytes', () => {
    expect(() => leaseKey(Buffer.alloc(31).toString('base64url'))).toThrow(RangeError);
    expect(() => leaseKey('')).toThrow(RangeError);
  });
});
