/** What happens to a slot while an earlier order of its schedule runs. */
export type OverlapPolicy = 'skip' | 'queue' | 'replace' | 'allow';
/** What is made up for after a time without an orchestrator. */
export type MissedPolicy = 'none' | 'last' | 'all';

export type TickKind = 'due' | 'catch-up';

/** What becomes of one slot. */
export type TickDecision = { slot: Date; kind: TickKind } & (
  { state: 'fired' | 'queued' } | { state: 'skipped' | 'missed' | 'replaced'; reason: string }
);

export interface DueTicks {
  /** At least one, oldest first: the newest slots that are due. */
  slots: readonly Date[];
  /** There are older ones than these. */
  more: boolean;
  now: Date;
  overlap: OverlapPolicy;
  missed: MissedPolicy;
  maxCatchUp: number;
  /** An order of the schedule still runs. */
  running: boolean;
  /** So many ticks wait already. */
  queued: number;
}

/** A slot that is looked at within so many milliseconds is on time: a change of leaders takes less. */
const ON_TIME_MS = 30_000;
/** More than this never wait: a schedule that is always too slow would pile up without end. */
const MAX_QUEUED = 1000;

/**
 * Decides about all slots of one schedule that are due. The newest one is on time when it is looked at at once; all
 * others have been missed, and the policy says which of them are made up for. What is made up for runs one after the
 * other, except where orders may overlap.
 */
export function decideTicks(due: DueTicks): TickDecision[] {
  const { slots, now, missed, maxCatchUp } = due;
  const newest = slots.at(-1) as Date;
  const onTime = now.getTime() - newest.getTime() <= ON_TIME_MS;
  const late = onTime ? slots.slice(0, -1) : slots;
  const made = { none: 0, last: onTime ? 0 : 1, all: maxCatchUp }[missed];
  const lost = late.slice(0, Math.max(0, late.length - made));
  const chosen = [
    ...late.slice(lost.length).map((slot) => ({ slot, kind: 'catch-up' as const })),
    ...(onTime ? [{ slot: newest, kind: 'due' as const }] : []),
  ];
  return [...lost.map((slot, i) => missedTick(slot, due, i === 0 && due.more)), ...overlapping(chosen, due)];
}

function missedTick(slot: Date, { missed, maxCatchUp }: DueTicks, more: boolean): TickDecision {
  const policy = {
    none: 'missed slots are not made up for',
    last: 'only the newest slot is made up for',
    all: `at most ${maxCatchUp} slots are made up for`,
  }[missed];
  const reason = `nothing looked at it in time; ${policy}${more ? '; so were all slots before it' : ''}`;
  return { slot, kind: 'catch-up', state: 'missed', reason };
}

function overlapping(chosen: readonly { slot: Date; kind: TickKind }[], due: DueTicks): TickDecision[] {
  const { overlap, running } = due;
  if (overlap === 'allow') return chosen.map((tick) => ({ ...tick, state: 'fired' }));
  if (overlap === 'replace') {
    return chosen.map((tick, i) =>
      i === chosen.length - 1
        ? { ...tick, state: 'fired' }
        : { ...tick, state: 'replaced', reason: 'a later slot that was due as well took its place' },
    );
  }
  if (overlap === 'skip' && (running || due.queued > 0)) {
    const reason = running ? 'an earlier order of the schedule still runs' : 'earlier slots still wait';
    return chosen.map((tick) => ({ ...tick, state: 'skipped', reason }));
  }
  let { queued } = due;
  let busy = running || queued > 0;
  return chosen.map((tick): TickDecision => {
    if (!busy) {
      busy = true;
      return { ...tick, state: 'fired' };
    }
    if (queued >= MAX_QUEUED) return { ...tick, state: 'skipped', reason: `${MAX_QUEUED} earlier slots wait already` };
    queued++;
    return { ...tick, state: 'queued' };
  });
}
