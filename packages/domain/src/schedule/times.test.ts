import { describe, expect, test } from '@jest/globals';
import { compileTimes, newestSlots, nextSlot, slotsBetween, type ScheduleTimes, type Slots } from './times.ts';

function compiled(times: ScheduleTimes): Slots {
  const result = compileTimes(times);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.slots;
}
const cron = (expression: string, timeZone = 'UTC'): Slots => compiled({ cron: expression, timeZone });
const at = (text: string): Date => new Date(text);
const texts = (dates: readonly Date[]): string[] => dates.map((date) => date.toISOString().replace(':00.000Z', 'Z'));
const next = (slots: Slots, after: string, count: number): string[] => {
  const found: Date[] = [];
  for (let from: Date | null = at(after); found.length < count;) {
    from = nextSlot(slots, from);
    if (!from) break;
    found.push(from);
  }
  return texts(found);
};
const faults = (times: ScheduleTimes): unknown => {
  const result = compileTimes(times);
  return result.ok ? [] : result.faults.map(({ path, message }) => `${path} ${message}`);
};

describe('cron', () => {
  test('five fields are minutes to weekdays, six begin with the seconds', () => {
    expect(next(cron('30 2 * * MON-FRI'), '2026-11-20T02:30:00Z', 2)).toEqual([
      '2026-11-23T02:30Z',
      '2026-11-24T02:30Z',
    ]);
    expect(nextSlot(cron('*/20 * * * * *'), at('2026-01-01T00:00:01Z'))).toEqual(at('2026-01-01T00:00:20Z'));
    expect(next(cron('0 0 L 2 *'), '2026-01-01T00:00:00Z', 1)).toEqual(['2026-02-28T00:00Z']);
  });

  test('a slot is strictly behind the time it is asked for', () => {
    expect(next(cron('0 * * * *'), '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T01:00Z']);
    expect(next(cron('0 * * * *'), '2025-12-31T23:59:59.999Z', 1)).toEqual(['2026-01-01T00:00Z']);
  });

  test('the day begins at midnight of its own time zone', () => {
    expect(next(cron('0 0 * * *', 'Asia/Kolkata'), '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T18:30Z']);
    expect(next(cron('0 0 * * *', 'America/New_York'), '2026-07-01T00:00:00Z', 1)).toEqual(['2026-07-01T04:00Z']);
  });

  test('faults are told with their place', () => {
    const wrong = [
      '* * * *',
      '* * * * * * *',
      '0 25 * * *',
      'H * * * *',
      '@daily * * * *',
      '0 0 31 2 *',
      '0 0 31 4,6 *',
    ];
    for (const expression of wrong) expect(faults({ cron: expression, timeZone: 'UTC' })).toHaveLength(1);
    expect(faults({ cron: '0 0 31 4,6 *', timeZone: 'UTC' })).toEqual(['/cron never comes']);
    for (const timeZone of ['Mars/Base', '+01:00', '']) {
      expect(faults({ cron: '0 0 * * *', timeZone })).toEqual([`/timeZone there is no time zone '${timeZone}'`]);
    }
  });
});

describe('cron when clocks change', () => {
  // Berlin: 2026-03-29 02:00 → 03:00 (01:00Z); 2026-10-25 03:00 → 02:00 (01:00Z).
  test('a local time that is skipped fires once, right after the gap', () => {
    expect(next(cron('30 2 * * *', 'Europe/Berlin'), '2026-03-28T00:00:00Z', 3)).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
  });

  test('several skipped times and one at the end of the gap fire once together', () => {
    expect(next(cron('0,15,30 2,3 * * *', 'Europe/Berlin'), '2026-03-28T12:00:00Z', 3)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-29T01:15Z',
      '2026-03-29T01:30Z',
    ]);
  });

  test('a local time that is repeated fires once, at its first pass', () => {
    expect(next(cron('30 2 * * *', 'Europe/Berlin'), '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    expect(next(cron('30 2 * * *', 'Europe/Berlin'), '2026-10-25T01:10:00Z', 1)).toEqual(['2026-10-26T01:30Z']);
  });

  test('with any hour, each hour of real time counts: nothing is doubled in spring, nothing left out in autumn', () => {
    expect(next(cron('15 * * * *', 'Europe/Berlin'), '2026-03-28T23:30:00Z', 3)).toEqual([
      '2026-03-29T00:15Z',
      '2026-03-29T01:15Z',
      '2026-03-29T02:15Z',
    ]);
    expect(next(cron('0 * * * *', 'Europe/Berlin'), '2026-03-29T00:00:00Z', 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-29T02:00Z',
    ]);
    expect(next(cron('*/30 * * * *', 'Europe/Berlin'), '2026-10-24T23:45:00Z', 5)).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:00Z',
    ]);
  });

  test('west of Greenwich, at midnight, by half an hour, and before 1970 it is the same', () => {
    expect(next(cron('30 2 * * *', 'America/New_York'), '2026-03-07T12:00:00Z', 1)).toEqual(['2026-03-08T07:00Z']);
    expect(next(cron('0 0 * * *', 'America/Santiago'), '2026-09-05T12:00:00Z', 2)).toEqual([
      '2026-09-06T04:00Z',
      '2026-09-07T03:00Z',
    ]);
    expect(next(cron('15 2 * * *', 'Australia/Lord_Howe'), '2026-10-03T12:00:00Z', 1)).toEqual(['2026-10-03T15:30Z']);
    expect(next(cron('0 12 * * *', 'Europe/Berlin'), '1969-12-31T23:00:00.500Z', 1)).toEqual(['1970-01-01T11:00Z']);
  });

  test('over years every day has one slot, in every zone that changes its clocks', () => {
    for (const timeZone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Casablanca']) {
      const slots = slotsBetween(
        cron('30 2 * * *', timeZone),
        at('2026-01-01T12:00:00Z'),
        at('2027-01-01T12:00:00Z'),
        999,
      );
      expect(slots).toHaveLength(365);
    }
  });
});

describe('every', () => {
  const slots = compiled({ every: '10m', anchor: at('2026-01-01T00:03:00Z') });

  test('slots are whole intervals away from the anchor, before it as well', () => {
    expect(next(slots, '2026-01-01T00:03:00Z', 2)).toEqual(['2026-01-01T00:13Z', '2026-01-01T00:23Z']);
    expect(next(slots, '2025-12-31T23:50:00Z', 1)).toEqual(['2025-12-31T23:53Z']);
  });

  test('an interval is a duration of one second or more', () => {
    expect(faults({ every: '1s', anchor: at('2026-01-01T00:00:00Z') })).toEqual([]);
    expect(faults({ every: '999ms', anchor: at('2026-01-01T00:00:00Z') })).toEqual([
      '/every must be one second at least',
    ]);
    expect(faults({ every: 'often', anchor: at('2026-01-01T00:00:00Z') })).toEqual([
      '/every must be a duration, as `10m`',
    ]);
  });
});

test('at the end of time nothing comes any more', () => {
  const end = at('9999-12-31T23:30:00Z');
  const never = [cron('0 * * * *'), cron('0 0 * * *'), compiled({ every: '1h', anchor: end })];
  expect(never.map((slots) => nextSlot(slots, end))).toEqual([null, null, null]);
  expect(newestSlots(cron('0 0 * * *'), end, end, 3)).toEqual({ slots: [], more: false });
  expect(slotsBetween(cron('0 0 * * *'), end, end, 3)).toEqual([]);
});

describe('ranges', () => {
  const hourly = cron('0 * * * *');

  test('a range has its beginning and not its end, and a most', () => {
    const found = slotsBetween(hourly, at('2026-01-01T00:00:00Z'), at('2026-01-01T03:00:00Z'), 10);
    expect(texts(found)).toEqual(['2026-01-01T00:00Z', '2026-01-01T01:00Z', '2026-01-01T02:00Z']);
    expect(slotsBetween(hourly, at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'), 5)).toHaveLength(5);
  });

  test('the newest slots are told oldest first, with whether there are older ones', () => {
    const from = at('2026-01-01T00:00:00Z');
    const day = newestSlots(hourly, from, at('2026-01-02T00:00:00Z'), 30);
    expect(day).toEqual({ slots: slotsBetween(hourly, from, at('2026-01-02T00:00:01Z'), 99), more: false });
    const two = newestSlots(hourly, from, at('2026-01-01T05:30:00Z'), 2);
    expect([texts(two.slots), two.more]).toEqual([['2026-01-01T04:00Z', '2026-01-01T05:00Z'], true]);
  });

  test('years of seconds are not walked through', () => {
    const { slots, more } = newestSlots(
      cron('* * * * * *'),
      at('2016-01-01T00:00:00Z'),
      at('2026-01-01T00:00:00Z'),
      100,
    );
    expect([slots.length, more]).toEqual([100, true]);
    expect(slots.at(-1)).toEqual(at('2026-01-01T00:00:00Z'));
  });
});
