import type { TickDecision } from './decide-ticks.ts';
import { compileTimes, newestSlots, nextSlot, type ScheduleTimes, type Slots } from './times.ts';

export interface SlotMove {
  now: Date;
  /** The next slot that would have been looked at; null while the schedule was paused. */
  nextAt: Date | null;
  before: ScheduleTimes;
  /** The slots from now on; null: none, for the schedule is paused. */
  after: Slots | null;
  /** They are the same as before. */
  same: boolean;
}

/** So many slots that nothing looked at have ticks of their own; the oldest one says when there were more. */
const MOST_TOLD = 100;

/**
 * What becomes of a schedule's slots when it is changed or paused. With the same times the next slot stays, also one that
 * is due. What is due by times that hold no more is told as missed: it must not vanish without a trace.
 */
export function moveSlots(move: SlotMove): { nextAt: Date | null; passed: TickDecision[] } {
  const { now, nextAt, after, same } = move;
  if (after && same && nextAt) return { nextAt, passed: [] };
  return { nextAt: after && nextSlot(after, now), passed: passedSlots(move) };
}

function passedSlots({ now, nextAt, before, after }: SlotMove): TickDecision[] {
  const compiled = compileTimes(before);
  // Times that a newer system no longer understands have no slots that could be told.
  if (!nextAt || nextAt > now || !compiled.ok) return [];
  const { slots, more } = newestSlots(compiled.slots, nextAt, now, MOST_TOLD);
  const reason = `the schedule was ${after ? 'changed' : 'paused'} before anything looked at it`;
  return slots.map((slot, i) => ({
    ...{ slot, kind: 'catch-up', state: 'missed' },
    reason: i === 0 && more ? `${reason}; so were all slots before it` : reason,
  }));
}
