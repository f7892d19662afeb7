import { describe, expect, test } from '@jest/globals';
import { leaseKey, newId, signLease, type JobId, type JsonValue, type OrderId } from '@connecta/contracts';
import { readReport } from './read-report.ts';

const key = leaseKey(Buffer.alloc(32, 1).toString('base64url'));
const other = leaseKey(Buffer.alloc(32, 2).toString('base64url'));
const jobId = newId<JobId>();
const lease = { orderId: newId<OrderId>(), jobId, attempt: 2, workerType: 'generic', expiresAtMs: 0 };
const event = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'completed',
  jobId,
  attempt: 2,
  lease: signLease(key, lease),
  instance: 'a',
  at: '2026-01-01T00:00:00.000Z',
  value: 7,
  ...change,
});
const reasonOf = (body: unknown, type = 'generic'): string => {
  const read = readReport(key, type, body);
  return read.ok ? 'accepted' : read.reason;
};

describe('readReport', () => {
  test('accepts an event whose lease says the same', () => {
    expect(readReport(key, 'generic', event())).toMatchObject({ ok: true, report: { lease, event: { value: 7 } } });
  });

  test('refuses a lease of another signer, job, attempt or type', () => {
    expect(reasonOf(event({ lease: signLease(other, lease) }))).toBe('the lease was not signed here');
    expect(reasonOf(event({ lease: 'nonsense' }))).toBe('the lease was not signed here');
    expect(reasonOf(event({ jobId: newId() }))).toBe('the lease is of another job or attempt');
    expect(reasonOf(event({ attempt: 3 }))).toBe('the lease is of another job or attempt');
    expect(reasonOf(event(), 'cu')).toBe('the lease is of another worker type');
  });

  test('names what is wrong with a body that is no event', () => {
    expect(reasonOf({ type: 'completed' })).toContain('jobId');
    expect(reasonOf(null)).not.toBe('accepted');
  });

  test.each<[string, JsonValue]>([
    ['NUL', 'a\0b'],
    ['half a character', ['\ud800']],
    ['too deep nesting', JSON.parse('['.repeat(80) + ']'.repeat(80)) as JsonValue],
  ])('turns a result with %s into a failure of the function', (_, value) => {
    expect(readReport(key, 'generic', event({ value }))).toMatchObject({
      ok: true,
      report: { event: { type: 'failed', error: { kind: 'permanent', code: 'invalid_output' } } },
    });
  });

  test.each<[string, JsonValue]>([
    ['half a character in them', ['\ud800']],
    ['too deep nesting', JSON.parse('['.repeat(80) + ']'.repeat(80)) as JsonValue],
    ['more than 8 KiB', ['x'.repeat(9000)]],
    ['no list', { not: 'a list' }],
  ])('turns new items with %s into a failure of the function', (_, newItems) => {
    expect(readReport(key, 'generic', event({ newItems }))).toMatchObject({
      report: { event: { type: 'failed', error: { kind: 'permanent', code: 'invalid_output' } } },
    });
  });

  test('takes new items as a list and as the blob of one', () => {
    const blob = { blobId: newId(), mediaType: 'application/json', size: 9000, sha256: '0'.repeat(64) };
    for (const newItems of [[], [1, { a: 2 }], blob]) {
      expect(readReport(key, 'generic', event({ newItems }))).toMatchObject({ report: { event: { newItems } } });
    }
  });

  test('keeps a result that only looks like an escape', () => {
    expect(readReport(key, 'generic', event({ value: 'a\\u0000' }))).toMatchObject({
      report: { event: { type: 'completed', value: 'a\\u0000' } },
    });
  });
});
