import { describe, expect, test } from '@jest/globals';
import { Silence } from './silence.ts';

const HOLD_MS = 30_000;

/** A silence that has been told everything in time until `now`. */
function attentive(now: number): Silence {
  const silence = new Silence({ holdMs: HOLD_MS });
  silence.answered(now);
  silence.read(now);
  return silence;
}

describe('Silence', () => {
  test('proves nothing before all reports that waited at the start have been applied', () => {
    const silence = new Silence({ holdMs: HOLD_MS });
    silence.answered(0);
    expect(silence.proves(0)).toBe(false);
    silence.read(500);
    expect(silence.proves(500)).toBe(true);
  });

  test('proves something once they have: a replica that takes the lead need not wait', () => {
    expect(attentive(0).proves(500)).toBe(true);
  });

  test('proves nothing for as long as workers may be unheard of, once the database was away', () => {
    const silence = attentive(0);
    for (let now = 60_000; now < 90_000; now += 500) {
      silence.answered(now);
      silence.read(now);
      expect(silence.proves(now)).toBe(false);
    }
    expect(silence.proves(90_000)).toBe(true);
  });

  test('proves nothing while reports wait unread', () => {
    const silence = attentive(0);
    for (let now = 0; now <= 20_000; now += 500) silence.answered(now);
    expect(silence.proves(20_000)).toBe(false);
    silence.read(20_000);
    expect(silence.proves(20_000)).toBe(true);
  });
});
