import type { ScheduleId } from '@connecta/contracts';
import { backoff } from '@connecta/domain';

const POLICY = { backoffMs: 1000, factor: 2, maxBackoffMs: 300_000, jitter: false };

/**
 * Schedules that failed and are left alone for a while, the longer the more often: those that fail again and again must
 * not take the places of others in every turn. Kept by the leader alone; a new one tries each of them once.
 */
export class Rests {
  readonly #rests = new Map<ScheduleId, { failures: number; until: Date }>();

  /** Those that still rest. */
  resting(now: Date): ScheduleId[] {
    return [...this.#rests].filter(([, { until }]) => until > now).map(([id]) => id);
  }

  /** Notes a failure; until when the schedule rests. */
  rest(id: ScheduleId, now: Date): Date {
    const failures = (this.#rests.get(id)?.failures ?? 0) + 1;
    const until = new Date(now.getTime() + backoff(failures, POLICY, 0));
    this.#rests.set(id, { failures, until });
    return until;
  }

  clear(id: ScheduleId): void {
    this.#rests.delete(id);
  }
}
