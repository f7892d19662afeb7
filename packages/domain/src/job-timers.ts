import { MAX_DURATION_MS } from '@connecta/contracts';
import type { PlannedStep } from './plan.ts';
import { DEFAULT_TIMERS, type Timers } from './timers.ts';

/** What of a job's timers differs from the system's, in milliseconds: written down with the job. */
export type JobTimers = Partial<Pick<Timers, 'ackMs' | 'startMs' | 'completeMs' | 'completeCapMs'>> & {
  /** How long it waits for a worker of a type of which none lives; without it the type's own limit counts. */
  offlineMs?: number;
};

/** How long a job waits by default for a worker of a type of which none lives. */
export const OFFLINE_WAIT_MS = 24 * 3_600_000;

/** The timers of a step's jobs; undefined where nothing differs from the system's. */
export function timersOfJob(step: PlannedStep): JobTimers | undefined {
  if (step.kind !== 'task' || (!step.timers && !step.offline)) return undefined;
  const { ackMs, startMs, completeMs, completeCapMs } = step.timers ?? {};
  const timers: JobTimers = {
    ...(ackMs === undefined ? {} : { ackMs }),
    ...(startMs === undefined ? {} : { startMs }),
    ...(completeMs === undefined ? {} : { completeMs }),
    ...(completeCapMs === undefined ? {} : { completeCapMs }),
  };
  return step.offline ? { ...timers, offlineMs: offlineMs(step.offline, ackMs) } : timers;
}

/** `fail` gives up as soon as the owner would be told; `wait` after a day. */
function offlineMs({ policy, limitMs }: { policy: 'wait' | 'fail'; limitMs?: number }, ackMs?: number): number {
  return limitMs ?? (policy === 'fail' ? (ackMs ?? DEFAULT_TIMERS.ackMs) : OFFLINE_WAIT_MS);
}

/**
 * How long the lease of an attempt lasts. It must outlive the attempt: a wait in the queue (for a worker of a type that is
 * away, or behind a backlog, which no timer ends) and a run of its cap. A lease whose attempt is over is worth nothing
 * whatever it says, so the longest wait that anybody can ask for is taken.
 */
export function leaseMsOf(timers: JobTimers | undefined): number {
  return MAX_DURATION_MS + (timers?.completeCapMs ?? DEFAULT_TIMERS.completeCapMs);
}
