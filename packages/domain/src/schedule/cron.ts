import { CronExpressionParser } from 'cron-parser';
import { Zone } from './zone.ts';

const WORDS = /^(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT|L)$/;
const FIELD = /^[0-9A-Z*,/#-]+$/;
/** The end of the year 9999: what lies behind it neither the API nor the database can write. */
export const LAST_INSTANT = Date.UTC(10_000, 0, 1) - 1;

/** A cron expression in a time zone, compiled. */
export interface Cron {
  expression: string;
  zone: Zone;
  /** The hour field is `*`: every hour of real time counts, also the one that a clock repeats. */
  everyHour: boolean;
}

/** @throws Error saying what is wrong with the expression; RangeError for an unknown time zone. */
export function compileCron(expression: string, timeZone: string): Cron {
  const fields = expression.trim().toUpperCase().split(/\s+/);
  if (fields.length !== 5 && fields.length !== 6) throw new Error('has five fields, or six with seconds');
  for (const field of fields) {
    const words = field.match(/[A-Z]+/g) ?? [];
    if (!FIELD.test(field) || words.some((word) => !WORDS.test(word))) throw new Error(`'${field}' is not understood`);
  }
  const cron = { expression: fields.join(' '), zone: new Zone(timeZone), everyHour: fields.at(-4) === '*' };
  if (wallTimes(cron.expression, 0).next().done) throw new Error('never comes');
  return cron;
}

/** The instants of a cron expression behind `after`, in order. */
export function cronInstants(cron: Cron, after: number): Generator<number, void> {
  return cron.everyHour ? instantsOfEveryHour(cron, after) : instantsByTheClock(cron, after);
}

/**
 * Hours are named: what the clock says counts. A wall time that is skipped fires when the gap ends (several of them
 * once), one that is repeated at its first pass.
 */
function* instantsByTheClock({ expression, zone }: Cron, after: number): Generator<number, void> {
  let last = after;
  for (const wall of wallTimes(expression, zone.wallAt(after))) {
    const instant = zone.firstInstantOf(wall);
    if (instant <= last) continue;
    last = instant;
    yield instant;
  }
}

/** Any hour will do: real time counts. The clock is read stretch by stretch of one offset. */
function* instantsOfEveryHour({ expression, zone }: Cron, after: number): Generator<number, void> {
  let from = after;
  for (;;) {
    const offset = zone.offsetAt(from);
    let shift: number | undefined;
    for (const wall of wallTimes(expression, from + offset)) {
      const instant = wall - offset;
      if (zone.offsetAt(instant) !== offset) {
        shift = zone.shiftBetween(from, instant);
        break;
      }
      from = instant;
      yield instant;
    }
    if (shift === undefined) return;
    // The shift itself may be a slot by the new offset.
    const [first] = wallTimes(expression, zone.wallAt(shift) - 1);
    if (first === zone.wallAt(shift)) yield shift;
    from = shift;
  }
}

/** The wall times that an expression names, behind `after`. Ends when nothing comes within years. */
function* wallTimes(expression: string, after: number): Generator<number, void> {
  const times = CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: new Date(after) });
  for (;;) {
    let time: number;
    try {
      time = times.next().getTime();
    } catch {
      return;
    }
    if (time > LAST_INSTANT) return;
    yield time;
  }
}
