import { inTurn, latencyOf, throughputOf } from './contender.ts';
import type { Contender, Throughput } from './contender.ts';
import { sum } from './measure/usage-sampler.ts';
import { rateOf, spreadOf, summaryOf } from './summary.ts';
import type { Spread, ThroughputSummary } from './summary.ts';

/** The same work done twice in circumstances that should not matter: on a small scale and on a large one. */
export interface Pair {
  readonly small: Throughput;
  readonly large: Throughput;
}

/** One round: every measurement once, by its name. */
export type PairRound = Readonly<Record<string, Pair>>;

/** One side of a measurement: which client places how many orders, of so many units each, and how. */
export interface Side {
  readonly contender: Contender;
  readonly orders: number;
  readonly each?: number;
  readonly how:
    { readonly do: 'batch' } | { readonly do: 'latency' } | { readonly do: 'singles'; readonly inFlight: number };
}

/** All rounds of one measurement. Ratios are taken within each round, large / small. */
export interface PairSummary {
  readonly small: ThroughputSummary;
  readonly large: ThroughputSummary;
  readonly ratios: { readonly cpu: Spread; readonly throughput: Spread };
}

/** Measures both sides, one directly after the other; which of the two begins changes from round to round. */
export async function measurePair(sides: { small: Side; large: Side }, round: number): Promise<Pair> {
  const [small, large] = await inTurn(
    round % 2 === 0,
    () => measureSide(sides.small),
    () => measureSide(sides.large),
  );
  return { small, large };
}

async function measureSide({ contender, orders, each = 1, how }: Side): Promise<Throughput> {
  const units = orders * each;
  switch (how.do) {
    case 'batch':
      return { ...(await throughputOf(contender, { do: 'batch', orders })), units };
    case 'singles':
      return { ...(await throughputOf(contender, { ...how, orders })), units };
    case 'latency': {
      const { eachMs, usage } = await latencyOf(contender, orders);
      return { units, ms: eachMs.reduce((total, ms) => total + ms, 0), usage };
    }
  }
}

/** Sums the rounds up, by measurement. */
export function summarisePairs(rounds: readonly PairRound[]): Readonly<Record<string, PairSummary>> {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, summarise(rounds.flatMap((round) => round[name] ?? []))]));
}

function summarise(pairs: readonly Pair[]): PairSummary {
  const ratio = (of: (run: Throughput) => number): Spread =>
    spreadOf(pairs.map(({ small, large }) => of(large) / of(small)));
  return {
    small: summaryOf(pairs.map(({ small }) => small)),
    large: summaryOf(pairs.map(({ large }) => large)),
    ratios: { cpu: ratio(({ usage, units }) => sum(usage.cpuSeconds) / units), throughput: ratio(rateOf) },
  };
}
