import { describe, expect, test } from '@jest/globals';
import { newId, type JobId } from './ids.ts';
import { deliveryId, parseDeliveryId, workerEventSchema } from './messages.ts';

const jobId = newId<JobId>();

describe('delivery ids', () => {
  test.each([1, 2, 10, 123_456])('come back: attempt %d', (attempt) => {
    expect(parseDeliveryId(deliveryId(jobId, attempt))).toEqual({ jobId, attempt });
  });

  test.each(
    ['', '-', '-1', jobId, `${jobId}-`, `${jobId}-0`, `${jobId}--1`, `${jobId}-1.5`, `${jobId}-1e3`].concat(
      [`${jobId}-01`, `${jobId}- 1`, `${jobId}-0x1`, `${jobId}-1 `, `${jobId}-99999999999`, `x${jobId}-1`],
      [`${'x'.repeat(36)}-1`, `${jobId.toUpperCase()}-1`],
    ),
  )('%j is none', (id) => expect(parseDeliveryId(id)).toBeNull());
});

describe('worker events', () => {
  const head = { jobId, attempt: 1, lease: 'l', instance: 'i', at: '2026-01-01T00:00:00.000Z' };
  const error = { kind: 'retryable', code: 'c', message: 'm' };
  const read = (body: unknown): boolean => workerEventSchema.safeParse(body).success;

  test('are read in their four types, unknown members left out', () => {
    expect(workerEventSchema.parse({ ...head, type: 'started', more: 1 })).toEqual({ ...head, type: 'started' });
    expect(read({ ...head, type: 'progress', progress: 0.5 })).toBe(true);
    expect(read({ ...head, type: 'completed', value: null, startedAt: head.at })).toBe(true);
    expect(read({ ...head, type: 'failed', error, retryAfterMs: 5 })).toBe(true);
  });

  test.each([
    null,
    [],
    { ...head, type: 'unheard of' },
    { ...head, type: 'completed' },
    { ...head, type: 'completed', value: Infinity },
    { ...head, type: 'failed' },
    { ...head, type: 'failed', error: { ...error, kind: 'other' } },
    { ...head, type: 'failed', error, retryAfterMs: 1e12 },
    { ...head, type: 'progress', progress: 1.1 },
    { ...head, type: 'progress', progress: Number.NaN },
    { ...head, type: 'started', attempt: 0 },
    { ...head, type: 'started', jobId: 'x' },
    { ...head, type: 'started', at: 'yesterday' },
    { ...head, type: 'started', lease: '' },
  ])('%j is none', (body) => expect(read(body)).toBe(false));
});
