import type { RemoteClient } from './client/remote.ts';
import type { ProcessGroups } from './measure/processes.ts';
import { UsageSampler } from './measure/usage-sampler.ts';
import type { Usage } from './measure/usage-sampler.ts';
import type { BenchOptions } from './options.ts';

/** Many orders at once, each checked afterwards. */
export interface Throughput {
  readonly orders: number;
  readonly ms: number;
  readonly submitMs: number;
  readonly usage: Usage;
}

/** One order after another. */
export interface Latency {
  readonly eachMs: readonly number[];
  readonly usage: Usage;
}

/** One round: every measurement once, the two systems in turn. */
export interface Round {
  readonly floor: { readonly latency: Latency; readonly batch: Throughput };
  readonly connecta: { readonly latency: Latency; readonly batch: Throughput; readonly singles: Throughput };
}

/** A system that is up, its client process, and which processes are counted as its own. */
export interface Contender {
  readonly client: RemoteClient;
  groups(): ProcessGroups;
}

const warmUp = { batches: 2, orders: 1_000, latency: 500 } as const;

/** Lets both systems reach their pace: code compiled, plans cached, tables no longer empty. Nothing is kept of it. */
export async function warmUpBoth({ floor, connecta }: Contenders, { inFlight }: BenchOptions): Promise<void> {
  for (const { client } of [floor, connecta]) {
    for (let at = 0; at < warmUp.batches; at += 1) await client.ask({ do: 'batch', orders: warmUp.orders });
    await client.ask({ do: 'latency', orders: warmUp.latency });
  }
  await connecta.client.ask({ do: 'singles', orders: warmUp.orders, inFlight });
}

/** The two systems of a run. */
export interface Contenders {
  readonly floor: Contender;
  readonly connecta: Contender;
}

/**
 * Runs one round. What is compared runs directly one after the other, so that what else the machine does hits both
 * alike; which of the two begins changes from round to round.
 */
export async function runRound(contenders: Contenders, options: BenchOptions, round: number): Promise<Round> {
  const { floor, connecta } = contenders;
  const floorFirst = round % 2 === 0;
  const latency = await inTurn(floorFirst, {
    floor: () => latencyOf(floor, options.latency),
    connecta: () => latencyOf(connecta, options.latency),
  });
  const batch = await inTurn(floorFirst, {
    floor: () => throughputOf(floor, { do: 'batch', orders: options.orders }),
    connecta: () => throughputOf(connecta, { do: 'batch', orders: options.orders }),
  });
  const { singles: orders, inFlight } = options;
  const singles = await throughputOf(connecta, { do: 'singles', orders, inFlight });
  return {
    floor: { latency: latency.floor, batch: batch.floor },
    connecta: { latency: latency.connecta, batch: batch.connecta, singles },
  };
}

async function inTurn<Result>(
  floorFirst: boolean,
  run: { floor: () => Promise<Result>; connecta: () => Promise<Result> },
): Promise<{ floor: Result; connecta: Result }> {
  if (floorFirst) {
    const floor = await run.floor();
    return { floor, connecta: await run.connecta() };
  }
  const connecta = await run.connecta();
  return { connecta, floor: await run.floor() };
}

async function throughputOf(
  contender: Contender,
  command: { do: 'batch'; orders: number } | { do: 'singles'; orders: number; inFlight: number },
): Promise<Throughput> {
  const { answer, usage } = await watched(contender, () => contender.client.ask(command));
  await contender.client.ask({ do: 'verify' });
  return { orders: command.orders, ms: answer.ms, submitMs: answer.submitMs, usage };
}

async function latencyOf(contender: Contender, orders: number): Promise<Latency> {
  const { answer, usage } = await watched(contender, () => contender.client.ask({ do: 'latency', orders }));
  return { eachMs: answer, usage };
}

async function watched<Answer>(
  contender: Contender,
  run: () => Promise<Answer>,
): Promise<{ answer: Answer; usage: Usage }> {
  const sampler = new UsageSampler({ ...contender.groups(), client: [contender.client.pid] });
  sampler.start();
  try {
    return { answer: await run(), usage: sampler.stop() };
  } finally {
    sampler.stop();
  }
}
