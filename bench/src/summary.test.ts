import { expect, test } from '@jest/globals';
import { quantile } from './measure/quantiles.ts';
import type { Latency, Throughput } from './contender.ts';
import type { Round } from './rounds.ts';
import { reportOf } from './report.ts';
import { summarise } from './summary.ts';

const throughput = (ms: number): Throughput => ({
  units: 1_000,
  ms,
  submitMs: 1,
  usage: { cpuSeconds: { redis: 0.2, client: 0.1 }, peakPssBytes: { redis: 2 ** 20 }, foreignShare: 0.1 },
});
const latency = (eachMs: readonly number[]): Latency => ({ eachMs, usage: throughput(1).usage });
const round = (floorMs: number, ourMs: number): Round => ({
  floor: { latency: latency([1, 2, 3]), batch: throughput(floorMs) },
  connecta: { latency: latency([4, 6, 8]), batch: throughput(ourMs), singles: throughput(2 * ourMs) },
});

test('a quantile between two figures lies between them', () => {
  expect(quantile([4, 1, 2, 3], 0.5)).toBe(2.5);
  expect(quantile([5], 0.99)).toBe(5);
});

test('ratios are taken within each round', () => {
  const { ratios, floor } = summarise([round(100, 200), round(1_000, 4_000), round(300, 300)]);
  expect(ratios.throughput).toEqual({ median: 0.5, min: 0.25, max: 1 });
  expect(ratios.latencyP50.median).toBe(3);
  expect(ratios.singlesThroughput.median).toBe(0.25);
  expect(floor.batch.perSecond.median).toBeCloseTo(3_333, 0);
  expect(floor.batch.cpuMsEach['redis']).toBeCloseTo(0.2);
});

test('the report names the ratios and the targets', () => {
  const report = reportOf(summarise([round(100, 200)]));
  expect(report).toContain('Throughput, Connecta / floor: 0.50 (0.50–0.50), target at least 0.45');
  expect(report).toContain('Latency p50, Connecta / floor: 3.00 (3.00–3.00), target at most 4');
});
