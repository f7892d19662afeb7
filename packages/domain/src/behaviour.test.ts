import { describe, expect, test } from '@jest/globals';
import type { FunctionBehaviour } from '@connecta/contracts';
import { behaviourOf } from './behaviour.ts';

const uses = 'w/x';
const own: FunctionBehaviour = {
  timers: { ackMs: 1, startMs: 2, completeMs: 3, capMs: 4 },
  retry: { max: 4, backoff: 'fixed', delayMs: 5, maxDelayMs: 6, jitter: false, on: ['lost'], maxCrashes: 7 },
  offline: { policy: 'fail', limitMs: 8 },
};

describe("how a step's jobs are treated", () => {
  test('is not told where neither step nor function says anything', () => {
    expect(behaviourOf({ uses })).toEqual({});
    expect(behaviourOf({ uses, timeouts: {}, retry: {} }, { timers: {}, retry: {} })).toEqual({});
  });

  test('is what the function says', () => {
    expect(behaviourOf({ uses }, own)).toEqual({
      timers: { ackMs: 1, startMs: 2, completeMs: 3, completeCapMs: 4 },
      retry: { maxFailed: 5, backoffMs: 5, maxBackoffMs: 6, factor: 1, jitter: false, on: ['lost'], maxCrashed: 7 },
      offline: { policy: 'fail', limitMs: 8 },
    });
  });

  test('is what the step says, one by one, before what the function says', () => {
    const step = {
      uses,
      timeouts: { ack: '1m', complete: '2h', cap: '1d' },
      retry: { max: 0, backoff: 'exponential' as const, delay: '1s', maxDelay: '1m', jitter: true, on: [] },
      offline: { policy: 'wait' as const, limit: '3h' },
    };
    expect(behaviourOf(step, own)).toEqual({
      timers: { ackMs: 60_000, startMs: 2, completeMs: 7_200_000, completeCapMs: 86_400_000 },
      retry: { maxFailed: 1, backoffMs: 1000, maxBackoffMs: 60_000, factor: 2, jitter: true, on: [], maxCrashed: 7 },
      offline: { policy: 'wait', limitMs: 10_800_000 },
    });
  });

  test('says nothing of a limit that the step leaves open, and nothing of what is no duration', () => {
    expect(behaviourOf({ uses, offline: { policy: 'fail' } }, own).offline).toEqual({ policy: 'fail' });
    expect(behaviourOf({ uses, timeouts: { ack: 'soon' } })).toEqual({});
  });
});
