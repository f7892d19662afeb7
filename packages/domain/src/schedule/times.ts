import { parseDuration, type Fault } from '@connecta/contracts';
import { LAST_INSTANT, compileCron, cronInstants, type Cron } from './cron.ts';

/** When a schedule fires, as it is written: a cron expression or an interval. */
export type ScheduleTimes = { cron: string; timeZone: string } | { every: string; anchor: Date };

/** The same, ready for use. */
export type Slots = { cron: Cron } | { everyMs: number; anchorMs: number };

/** Closer slots than this would be a loop, not a schedule. */
const LEAST_INTERVAL_MS = 1000;
/** The first stretch that is searched backwards; doubled until it holds enough. */
const FIRST_STRETCH_MS = 15 * 60_000;

/** Compiles the times of a schedule, or says what is wrong with them. */
export function compileTimes(times: ScheduleTimes): { ok: true; slots: Slots } | { ok: false; faults: Fault[] } {
  if ('every' in times) {
    const everyMs = parseDuration(times.every);
    if (everyMs !== null && everyMs >= LEAST_INTERVAL_MS) {
      return { ok: true, slots: { everyMs, anchorMs: times.anchor.getTime() } };
    }
    const message = everyMs === null ? 'must be a duration, as `10m`' : 'must be one second at least';
    return { ok: false, faults: [{ path: '/every', message }] };
  }
  try {
    return { ok: true, slots: { cron: compileCron(times.cron, times.timeZone) } };
  } catch (error) {
    const { message } = error as Error;
    return error instanceof RangeError
      ? { ok: false, faults: [{ path: '/timeZone', message: `there is no time zone '${times.timeZone}'` }] }
      : { ok: false, faults: [{ path: '/cron', message }] };
  }
}

/** The first slot behind an instant; null when none comes any more. */
export function nextSlot(slots: Slots, after: Date): Date | null {
  for (const instant of instants(slots, after.getTime())) return new Date(instant);
  return null;
}

/** The first `max` slots from `from` (included) to `to` (not included). */
export function slotsBetween(slots: Slots, from: Date, to: Date, max: number): Date[] {
  const found: Date[] = [];
  for (const instant of instants(slots, from.getTime() - 1)) {
    if (instant >= to.getTime() || found.length >= max) break;
    found.push(new Date(instant));
  }
  return found;
}

/**
 * The newest `max` slots from `from` on up to `until` (both included), oldest first, and whether there are older ones.
 * However long the time between, only as much is looked at as is told.
 */
export function newestSlots(slots: Slots, from: Date, until: Date, max: number): { slots: Date[]; more: boolean } {
  for (let stretchMs = FIRST_STRETCH_MS; ; stretchMs *= 2) {
    const start = Math.max(from.getTime(), until.getTime() - stretchMs);
    const found: number[] = [];
    for (const instant of instants(slots, start - 1)) {
      if (instant > until.getTime()) break;
      found.push(instant);
    }
    if (start > from.getTime() && found.length <= max) continue;
    return { slots: found.slice(-max).map((instant) => new Date(instant)), more: found.length > max };
  }
}

function instants(slots: Slots, after: number): Iterable<number> {
  return 'cron' in slots ? cronInstants(slots.cron, after) : intervals(slots, after);
}

function* intervals({ everyMs, anchorMs }: { everyMs: number; anchorMs: number }, after: number): Generator<number> {
  const steps = Math.floor((after - anchorMs) / everyMs) + 1;
  for (let instant = anchorMs + steps * everyMs; instant <= LAST_INSTANT; instant += everyMs) yield instant;
}
