import { inTurn, latencyOf, throughputOf } from './contender.ts';
import type { Contender, Latency, Throughput } from './contender.ts';
import type { BenchOptions } from './options.ts';

/** One round: every measurement once, the two systems in turn. */
export interface Round {
  readonly floor: { readonly latency: Latency; readonly batch: Throughput };
  readonly connecta: { readonly latency: Latency; readonly batch: Throughput; readonly singles: Throughput };
}

const warmUp = { batches: 2, orders: 1_000, latency: 500 } as const;

/** Lets a system reach its pace: code compiled, plans cached, tables no longer empty. Nothing is kept of it. */
export async function warmUpOne({ client }: Contender): Promise<void> {
  for (let at = 0; at < warmUp.batches; at += 1) await client.ask({ do: 'batch', orders: warmUp.orders });
  await client.ask({ do: 'latency', orders: warmUp.latency });
}

/** The same of orders that come one a request. */
export async function warmUpSingles({ client }: Contender, { inFlight }: BenchOptions): Promise<void> {
  await client.ask({ do: 'singles', orders: warmUp.orders, inFlight });
}

/** The two systems of a run. */
export interface Contenders {
  readonly floor: Contender;
  readonly connecta: Contender;
}

/**
 * Runs one round. What is compared runs directly one after the other; which of the two begins changes from round to
 * round.
 */
export async function runRound(contenders: Contenders, options: BenchOptions, round: number): Promise<Round> {
  const { floor, connecta } = contenders;
  const floorFirst = round % 2 === 0;
  const latency = await inTurn(
    floorFirst,
    () => latencyOf(floor, options.latency),
    () => latencyOf(connecta, options.latency),
  );
  const batch = await inTurn(
    floorFirst,
    () => throughputOf(floor, { do: 'batch', orders: options.orders }),
    () => throughputOf(connecta, { do: 'batch', orders: options.orders }),
  );
  const { singles: orders, inFlight } = options;
  const singles = await throughputOf(connecta, { do: 'singles', orders, inFlight });
  return {
    floor: { latency: latency[0], batch: batch[0] },
    connecta: { latency: latency[1], batch: batch[1], singles },
  };
}
