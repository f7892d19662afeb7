/** Further away than any shift of a clock, and closer than two shifts are to each other. */
const AROUND_MS = 26 * 3_600_000;

const formats = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });

/**
 * A time zone as its clocks show it. An instant is milliseconds since 1970 in UTC; a *wall* time is what the clock shows,
 * written as if it were UTC.
 */
export class Zone {
  readonly #format: Intl.DateTimeFormat;

  /** @throws RangeError for a name that is no IANA time zone. */
  constructor(timeZone: string) {
    if (!/^[A-Za-z]/.test(timeZone)) throw new RangeError(`'${timeZone}' is not an IANA time zone`);
    this.#format = formats(timeZone);
  }

  /** What the clock shows at an instant. */
  wallAt(instant: number): number {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) part[type] = Number(value);
    const { year, month, day, hour, minute, second } = part as Record<string, number>;
    const wall = Date.UTC(year as number, (month as number) - 1, day, hour, minute, second);
    return wall + (((instant % 1000) + 1000) % 1000);
  }

  /** By how much the clock is ahead of UTC at an instant. */
  offsetAt(instant: number): number {
    return this.wallAt(instant) - instant;
  }

  /** When the clock shows a wall time: the first time, where it does so twice; the end of the gap, where it never does. */
  firstInstantOf(wall: number): number {
    const before = this.offsetAt(wall - AROUND_MS);
    const after = this.offsetAt(wall + AROUND_MS);
    const early = wall - Math.max(before, after);
    if (this.wallAt(early) === wall) return early;
    const late = wall - Math.min(before, after);
    if (this.wallAt(late) === wall) return late;
    return this.shiftBetween(early, late);
  }

  /** The first instant behind `from`, up to `to`, at which the clock has another offset than at `from`. */
  shiftBetween(from: number, to: number): number {
    const offset = this.offsetAt(from);
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offsetAt(middle) === offset) low = middle;
      else high = middle;
    }
    return high;
  }
}
