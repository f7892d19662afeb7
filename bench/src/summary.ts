import { median, quantile } from './measure/quantiles.ts';
import { sum } from './measure/usage-sampler.ts';
import type { Latency, Throughput } from './contender.ts';
import type { Round } from './rounds.ts';

/** What the project wants to reach; see README.md for where the figures come from. */
export const targets = { throughputAtLeast: 0.45, latencyAtMost: 4 } as const;

/** The middle of several rounds, and how far they lay apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Throughput over all rounds. */
export interface ThroughputSummary {
  readonly perSecond: Spread;
  /** CPU milliseconds an order or item, by group of processes: the figure that other load on the machine changes least. */
  readonly cpuMsEach: Readonly<Record<string, number>>;
  readonly cpuSeconds: number;
  readonly peakPssBytes: Readonly<Record<string, number>>;
  readonly foreignShare: number;
}

/** Latency over all rounds, in milliseconds. */
export interface LatencySummary {
  readonly p50: Spread;
  readonly p95: Spread;
  readonly p99: Spread;
}

/** A whole run. Ratios are taken within each round, between measurements that ran directly one after the other. */
export interface Summary {
  readonly floor: { readonly batch: ThroughputSummary; readonly latency: LatencySummary };
  readonly connecta: {
    readonly batch: ThroughputSummary;
    readonly singles: ThroughputSummary;
    readonly latency: LatencySummary;
  };
  readonly ratios: { readonly throughput: Spread; readonly singlesThroughput: Spread; readonly latencyP50: Spread };
}

/** Sums the rounds up. */
export function summarise(rounds: readonly Round[]): Summary {
  const ratio = (of: (round: Round) => number): Spread => spreadOf(rounds.map(of));
  return {
    floor: {
      batch: summaryOf(rounds.map(({ floor }) => floor.batch)),
      latency: latencyOf(rounds.map(({ floor }) => floor.latency)),
    },
    connecta: {
      batch: summaryOf(rounds.map(({ connecta }) => connecta.batch)),
      singles: summaryOf(rounds.map(({ connecta }) => connecta.singles)),
      latency: latencyOf(rounds.map(({ connecta }) => connecta.latency)),
    },
    ratios: {
      throughput: ratio(({ connecta, floor }) => rateOf(connecta.batch) / rateOf(floor.batch)),
      singlesThroughput: ratio(({ connecta, floor }) => rateOf(connecta.singles) / rateOf(floor.batch)),
      latencyP50: ratio(({ connecta, floor }) => median(connecta.latency.eachMs) / median(floor.latency.eachMs)),
    },
  };
}

/** What a few figures come to. */
export function spreadOf(figures: readonly number[]): Spread {
  return { median: median(figures), min: Math.min(...figures), max: Math.max(...figures) };
}

/** Orders, or items, a second. */
export const rateOf = ({ units, ms }: Throughput): number => (units / ms) * 1_000;

/** Sums the runs of one measurement up. */
export function summaryOf(runs: readonly Throughput[]): ThroughputSummary {
  const groups = Object.keys(runs[0]?.usage.cpuSeconds ?? {});
  const medians = (of: (run: Throughput, group: string) => number): Record<string, number> =>
    Object.fromEntries(groups.map((group) => [group, median(runs.map((run) => of(run, group)))]));
  return {
    perSecond: spreadOf(runs.map(rateOf)),
    cpuMsEach: medians(({ usage, units }, group) => ((usage.cpuSeconds[group] ?? 0) * 1_000) / units),
    cpuSeconds: median(runs.map(({ usage }) => sum(usage.cpuSeconds))),
    peakPssBytes: medians(({ usage }, group) => usage.peakPssBytes[group] ?? 0),
    foreignShare: median(runs.map(({ usage }) => usage.foreignShare)),
  };
}

function latencyOf(runs: readonly Latency[]): LatencySummary {
  const at = (share: number): Spread => spreadOf(runs.map(({ eachMs }) => quantile(eachMs, share)));
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
