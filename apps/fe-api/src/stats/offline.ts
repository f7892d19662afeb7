import { OFFLINE_WAIT_MS, DEFAULT_TIMERS } from '@connecta/domain';
import type { WorkerTypeSummary } from '@connecta/store';

/** How it stands with a type of which nobody takes work. */
export interface OfflineView {
  /** When an instance was last seen; null when there never was one. */
  since: string | null;
  policy: 'wait' | 'fail';
  limitMs: number;
}

/** Null while an instance takes work, or finishes what it has. Steps and functions may have limits of their own. */
export function offlineOf({ ready, draining, offline, lastSeenAt }: WorkerTypeSummary): OfflineView | null {
  if (ready + draining > 0) return null;
  const { policy = 'wait', limitMs } = offline as { policy?: 'wait' | 'fail'; limitMs?: number };
  const otherwise = policy === 'fail' ? DEFAULT_TIMERS.ackMs : OFFLINE_WAIT_MS;
  return { since: lastSeenAt?.toISOString() ?? null, policy, limitMs: limitMs ?? otherwise };
}
