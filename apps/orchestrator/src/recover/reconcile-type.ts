import type { Timers } from '@connecta/domain';
import type { OpenAttempt } from '@connecta/store';
import type { FoundAttempt } from '../engine/move-attempts.ts';

/** What a queue holds of a type, as delivery ids. */
export interface QueueContent {
  waiting: ReadonlySet<string>;
  active: ReadonlySet<string>;
}

export interface ReconcileInput {
  attempts: readonly OpenAttempt[];
  queue: QueueContent;
  /**
   * False after the queue's store was emptied: then everything that no worker holds is sent again at once, except what
   * is so young that it may be on its way (or be done already): that is waited for as at any other time.
   */
  marker: boolean;
  /** When each attempt was first seen missing, from earlier looks; milliseconds. */
  missingSince: ReadonlyMap<string, number>;
  now: number;
  timers: Timers;
  /** How long an attempt must be missing: longer than an event may lie unread in a dead reader's hands. */
  missingMs: number;
  /** False when heartbeats may not have been heard: then that nobody lists an attempt says nothing yet. */
  silenceProves: boolean;
}

export interface Reconciled {
  found: FoundAttempt[];
  missingSince: Map<string, number>;
  /** Deliveries in the queue that no open attempt stands for: finished, cancelled or of an older attempt. */
  stray: string[];
}

/** Below this age a command may still be on its way. */
const YOUNG_MS = 2000;

/**
 * Compares the attempts that the database says are in a queue with what the queue holds. Pure: the looks' memory comes
 * in and goes out.
 */
export function reconcileType(input: ReconcileInput): Reconciled {
  const { attempts, queue, marker, now, timers, missingMs, silenceProves } = input;
  const found: FoundAttempt[] = [];
  const missingSince = new Map<string, number>();
  const stray = new Set([...queue.waiting, ...queue.active]);
  for (const attempt of attempts) {
    const id = `${attempt.jobId}-${attempt.attempt}`;
    stray.delete(id);
    if (attempt.state === 'started') continue;
    const { jobId, orderId } = attempt;
    const tell = (finding: FoundAttempt['finding']): void => {
      found.push({ jobId, orderId, attempt: attempt.attempt, finding });
    };
    if (queue.waiting.has(id)) {
      if (attempt.state === 'invoked' && attempt.live && attempt.ageMs > YOUNG_MS) tell({ kind: 'queued' });
    } else if (attempt.unlistedMs !== null && attempt.unlistedMs < timers.holdMs) {
      continue;
    } else if (queue.active.has(id)) {
      // A worker took it, and neither reported nor listed it since: it died with the job in its hands. One hold is enough,
      // counted from when it was listed last; where it never was, from when it was first seen so.
      const unlistedMs = silenceProves ? (attempt.unlistedMs ?? 0) : 0;
      const since = Math.min(input.missingSince.get(id) ?? now, now - unlistedMs);
      const message = `a worker took it and has not been heard of for ${timers.holdMs} ms`;
      if (now - since < timers.holdMs) missingSince.set(id, since);
      else tell({ kind: 'lost', message, crashed: attempt.workerLost });
    } else if (marker && attempt.live && attempt.ageMs > Math.max(attempt.ackMs ?? Infinity, YOUNG_MS)) {
      tell({ kind: 'timeout', code: 'ack_timeout', message: `not accepted within ${attempt.ackMs} ms` });
    } else if (attempt.ageMs > YOUNG_MS) {
      const since = input.missingSince.get(id) ?? now;
      if (marker && now - since < missingMs) missingSince.set(id, since);
      else tell({ kind: 'gone' });
    }
  }
  return { found, missingSince, stray: [...stray] };
}
