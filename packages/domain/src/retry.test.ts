import { describe, expect, test } from '@jest/globals';
import { DEFAULT_RETRY, backoff, decideRetry, type AttemptEnd, type RetryPolicy } from './retry.ts';

const failure = (kind: 'retryable' | 'permanent' | 'business', retryAfterMs?: number): AttemptEnd => ({
  kind: 'failed',
  error: { kind, code: 'boom', message: 'it broke' },
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const decide = (end: AttemptEnd, failed = 0, lost = 0, crashed = 0): ReturnType<typeof decideRetry> =>
  decideRetry(end, { failed, lost, crashed, handedBack: 0 }, DEFAULT_RETRY, 0);

describe('decideRetry', () => {
  test('tries a retryable failure again after a backoff', () => {
    expect(decide(failure('retryable'))).toMatchObject({
      next: 'again',
      delayMs: 500,
      spent: { failed: 1, lost: 0, crashed: 0, handedBack: 0 },
    });
  });

  test('ends after the third failed run, with the error of the last', () => {
    expect(decide(failure('retryable'), 2)).toEqual({
      next: 'end',
      spent: { failed: 3, lost: 0, crashed: 0, handedBack: 0 },
      error: { kind: 'retryable', code: 'boom', message: 'it broke' },
    });
  });

  test.each(['permanent', 'business'] as const)('never tries a %s failure again', (kind) => {
    expect(decide(failure(kind)).next).toBe('end');
  });

  test('waits as long as the function asked, when that is longer than the backoff', () => {
    expect(decide(failure('retryable', 20_000))).toMatchObject({ delayMs: 20_000 });
    expect(decide(failure('retryable', 1))).toMatchObject({ delayMs: 500 });
  });

  test('sends a lost delivery again at once, and counts it apart from failures', () => {
    expect(decide({ kind: 'lost', message: 'gone' }, 2)).toEqual({
      next: 'again',
      delayMs: 0,
      spent: { failed: 2, lost: 1, crashed: 0, handedBack: 0 },
      error: { kind: 'retryable', code: 'lost', message: 'gone' },
    });
  });

  test('gives up after the fifth lost delivery was lost again', () => {
    expect(decide({ kind: 'lost', message: 'gone' }, 0, 4).next).toBe('again');
    expect(decide({ kind: 'lost', message: 'gone' }, 0, 5)).toMatchObject({ next: 'end', error: { code: 'lost' } });
  });

  test('counts a run that took too long as failed, a start that never came as lost', () => {
    const timeout = (code: 'start_timeout' | 'complete_timeout'): AttemptEnd => ({
      kind: 'timeout',
      code,
      message: '',
    });
    expect(decide(timeout('complete_timeout'))).toMatchObject({
      delayMs: 500,
      spent: { failed: 1, lost: 0, crashed: 0, handedBack: 0 },
    });
    expect(decide(timeout('start_timeout'))).toMatchObject({
      delayMs: 0,
      spent: { failed: 0, lost: 1, crashed: 0, handedBack: 0 },
    });
    expect(decide(timeout('start_timeout'), 0, 5)).toMatchObject({ next: 'end', error: { code: 'start_timeout' } });
  });

  test('tries again only what the policy names', () => {
    const policy = { ...DEFAULT_RETRY, on: ['lost'] as const };
    const next = (end: AttemptEnd): string =>
      decideRetry(end, { failed: 0, lost: 0, crashed: 0, handedBack: 0 }, policy, 0).next;
    expect(next({ kind: 'lost', message: 'gone' })).toBe('again');
    expect(next(failure('retryable'))).toBe('end');
    expect(next({ kind: 'timeout', code: 'ack_timeout', message: '' })).toBe('end');
  });
});

describe('a delivery that its worker gives back because it has to stop', () => {
  const stopped: AttemptEnd = {
    kind: 'failed',
    error: { kind: 'retryable', code: 'runner_stopped', message: 'the runner had to stop' },
  };
  const back = (handedBack: number, policy = DEFAULT_RETRY, end = stopped): ReturnType<typeof decideRetry> =>
    decideRetry(end, { failed: 2, lost: 5, crashed: 0, handedBack }, policy, 0);

  test('is sent to others at once, and counts neither as failed nor as lost', () => {
    expect(back(0)).toMatchObject({
      next: 'again',
      delayMs: 0,
      spent: { failed: 2, lost: 5, crashed: 0, handedBack: 1 },
      error: { code: 'runner_stopped' },
    });
    expect(back(0, DEFAULT_RETRY, { ...stopped, retryAfterMs: 7 })).toMatchObject({ next: 'again', delayMs: 7 });
  });

  test('counts as failed from the twenty-first on: who always stops never runs it', () => {
    expect(back(19)).toMatchObject({ next: 'again', spent: { failed: 2, handedBack: 20 } });
    expect(back(20)).toMatchObject({ next: 'end', spent: { failed: 3, handedBack: 20 } });
  });

  test('goes on where failures or losses are tried again', () => {
    const on = (...causes: RetryPolicy['on']): string => back(0, { ...DEFAULT_RETRY, on: causes }).next;
    expect([on('lost'), on('retryable'), on('timeout')]).toEqual(['again', 'again', 'end']);
  });

  test('is told by its kind as well as by its code', () => {
    const permanent: AttemptEnd = { kind: 'failed', error: { kind: 'permanent', code: 'runner_stopped', message: '' } };
    expect(back(0, DEFAULT_RETRY, permanent)).toMatchObject({ next: 'end', spent: { failed: 3, handedBack: 0 } });
  });
});

describe('a job that takes its workers with it', () => {
  const crash: AttemptEnd = { kind: 'lost', message: 'gone', crashed: true };

  test('is sent again at once the first time, and later than others the second', () => {
    expect(decide(crash)).toMatchObject({
      next: 'again',
      delayMs: 0,
      spent: { failed: 0, lost: 1, crashed: 1, handedBack: 0 },
    });
    expect(decide(crash, 0, 1, 1)).toMatchObject({ next: 'again', delayMs: 500, spent: { lost: 2, crashed: 2 } });
  });

  test('is poison at the third', () => {
    expect(decide(crash, 0, 2, 2)).toMatchObject({
      next: 'end',
      error: { kind: 'permanent', code: 'poison', message: expect.stringContaining('3 workers') },
    });
  });

  test('does not use up the deliveries that may be lost otherwise', () => {
    expect(decide({ kind: 'lost', message: 'gone' }, 0, 6, 2).next).toBe('again');
    expect(decide({ kind: 'lost', message: 'gone' }, 0, 7, 2)).toMatchObject({ next: 'end', error: { code: 'lost' } });
  });

  test('is poison as often as the policy says', () => {
    const patient = { ...DEFAULT_RETRY, maxCrashed: 10 };
    expect(decideRetry(crash, { failed: 0, lost: 8, crashed: 8, handedBack: 0 }, patient, 0).next).toBe('again');
  });
});

describe('backoff', () => {
  test('doubles, stays under its maximum, and spreads over its upper half', () => {
    expect([1, 2, 3].map((n) => backoff(n, DEFAULT_RETRY, 1))).toEqual([1000, 2000, 4000]);
    expect(backoff(1, DEFAULT_RETRY, 0)).toBe(500);
    expect(backoff(100, DEFAULT_RETRY, 1)).toBe(DEFAULT_RETRY.maxBackoffMs);
    expect(backoff(2, { ...DEFAULT_RETRY, jitter: false, factor: 1 }, 0)).toBe(1000);
  });
});
