import type { Progress } from '@connecta/contracts';
import { hasEnded, standInFor } from './needs.ts';
import type { CompiledPlan, PlannedStep } from './plan.ts';

export type HoldUpReason = 'concurrency' | 'turn' | 'steps' | 'retry' | 'runner';

/** Why something has not begun: for what it waits, the same in words, and when that ends at the latest. */
export interface HoldUp<For extends HoldUpReason> {
  waitsFor: For;
  why: string;
  until?: Date;
}

/** The line that an accepted order stands in: of its concurrency key, or of all that have none. */
export interface Line {
  key: string | null;
  /** With a key: so many may be active, and so many are. */
  max: number | null;
  active: number;
  /** Accepted orders that go first, counted up to {@link MAX_AHEAD}. */
  ahead: number;
}

/** What is known of the runners of a type. */
export interface Runners {
  workerType: string;
  /** Instances that take work, what they can run at once, and how much of it is free. */
  live: number;
  slots: number;
  freeSlots: number;
  /** When the attempt is given up by the offline policy that holds for it, should no runner come. */
  giveUpAt: Date | null;
}

/** Who is further back is not told how far. */
export const MAX_AHEAD = 1000;

/**
 * Whether orders and slots are counted in what is told. A client sees only its own: how much others have under way, and how
 * much runs at all, is not for it.
 */
export interface Telling {
  counts: boolean;
}

/** Why an accepted order is not active. */
export function holdUpOfOrder({ key, max, active, ahead }: Line, { counts }: Telling): HoldUp<'concurrency' | 'turn'> {
  const number = ahead < MAX_AHEAD ? ahead : `${MAX_AHEAD} or more`;
  const before = counts ? `accepted orders before it: ${number}` : 'other accepted orders are before it';
  if (key !== null && max !== null && active + ahead >= max) {
    const why = counts
      ? `of the key ${key}, ${active} of at most ${max} orders are active; ${before}`
      : `of the key ${key}, at most ${max} orders are active at a time, and others are before it`;
    return { waitsFor: 'concurrency', why };
  }
  return { waitsFor: 'turn', why: ahead > 0 ? before : 'the next orchestrator takes it' };
}

/** Why a step has no job yet; null where no other step holds it up. */
export function holdUpOfStep(plan: CompiledPlan, name: string, progress: Progress): HoldUp<'steps'> | null {
  const { needs, fallbackFor } = plan.steps.get(name) as PlannedStep;
  const before = [...(fallbackFor === undefined ? [] : [fallbackFor]), ...needs];
  const open = before.map((need) => standInFor(plan, need, progress)).filter((need) => !hasEnded(progress[need]));
  return open.length === 0 ? null : { waitsFor: 'steps', why: `needs the end of ${[...new Set(open)].join(', ')}` };
}

/** Why a job that failed or was lost has no new attempt yet. */
export function holdUpOfRetry(notBefore: Date): HoldUp<'retry'> {
  return { waitsFor: 'retry', why: 'its next attempt begins when its backoff is over', until: notBefore };
}

/** Why no runner has begun with a job that was sent. */
export function holdUpOfJob(
  { workerType, live, slots, freeSlots, giveUpAt }: Runners,
  { counts }: Telling,
): HoldUp<'runner'> {
  const waitsFor = 'runner';
  if (live === 0) {
    const why = `no runner of the type ${workerType} is up`;
    return giveUpAt === null
      ? { waitsFor, why }
      : { waitsFor, why: `${why}; by its offline policy it is given up then`, until: giveUpAt };
  }
  if (freeSlots === 0) {
    return { waitsFor, why: `all slots of the type ${workerType} are taken${counts ? `: ${slots}` : ''}` };
  }
  const free = counts ? `${freeSlots} of ${slots} slots are free` : 'slots are free';
  return { waitsFor, why: `of the type ${workerType}, ${free}: a runner takes it next` };
}
