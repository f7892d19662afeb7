import { describe, expect, test } from '@jest/globals';
import { newId, type PlanId, type ProfileId } from '@connecta/contracts';
import { OFFLINE_WAIT_MS, leaseMsOf, timersOfJob } from './job-timers.ts';
import type { TaskStep } from './plan.ts';
import { DEFAULT_TIMERS } from './timers.ts';

const step = (more: Partial<TaskStep> = {}): TaskStep => ({
  ...{ kind: 'task', uses: 'w/x', workerType: 'w', function: 'f', profileRevision: 1, needs: [] },
  profileId: newId<ProfileId>(),
  ...more,
});

describe("the timers of a step's jobs", () => {
  test('are nothing where nothing differs from the system', () => {
    expect(timersOfJob(step())).toBeUndefined();
    expect(timersOfJob({ kind: 'order', needs: [], workflow: 'w@1', planId: newId<PlanId>() })).toBeUndefined();
  });

  test('are those that the plan names, and no timers that are the system’s alone', () => {
    expect(timersOfJob(step({ timers: { ackMs: 1, holdMs: 2 } }))).toEqual({ ackMs: 1 });
    const timers = { startMs: 2, completeMs: 3, completeCapMs: 4 };
    expect(timersOfJob(step({ timers }))).toEqual(timers);
  });

  test('say how long a job waits for a worker', () => {
    expect(timersOfJob(step({ offline: { policy: 'wait' } }))).toEqual({ offlineMs: OFFLINE_WAIT_MS });
    expect(timersOfJob(step({ offline: { policy: 'wait', limitMs: 5 } }))).toEqual({ offlineMs: 5 });
    expect(timersOfJob(step({ offline: { policy: 'fail' } }))).toEqual({ offlineMs: DEFAULT_TIMERS.ackMs });
    expect(timersOfJob(step({ offline: { policy: 'fail' }, timers: { ackMs: 7 } }))).toEqual({
      ackMs: 7,
      offlineMs: 7,
    });
  });
});

test('a lease outlives the longest wait and a run up to its cap', () => {
  const day = 24 * 3_600_000;
  expect(leaseMsOf({ completeCapMs: 7 * day })).toBe((366 + 7) * day);
  expect(leaseMsOf({ offlineMs: 1 })).toBe(366 * day + DEFAULT_TIMERS.completeCapMs);
  expect(leaseMsOf(undefined)).toBe(leaseMsOf({}));
});
