import { RemoteClient } from './client/remote.ts';
import type { ClientPlan } from './client/protocol.ts';
import type { ProcessGroups } from './measure/processes.ts';
import { UsageSampler } from './measure/usage-sampler.ts';
import type { Usage } from './measure/usage-sampler.ts';
import type { Opened } from './opened.ts';

const commandTimeoutMs = 300_000;

/** Many orders, each checked. */
export interface Throughput {
  /** How many orders, or items of lists. */
  readonly units: number;
  readonly ms: number;
  readonly submitMs?: number;
  readonly usage: Usage;
}

/** One order after another. */
export interface Latency {
  readonly eachMs: readonly number[];
  readonly usage: Usage;
}

/** A system that is up, its client process, and which processes are counted as its own. */
export interface Contender {
  readonly client: RemoteClient;
  groups(): ProcessGroups;
}

/** Starts a client process for a system. */
export async function contenderOf(
  system: Pick<Contender, 'groups'>,
  plan: ClientPlan,
  opened: Opened,
): Promise<Contender> {
  const client = await opened.add(RemoteClient.start(plan, { timeoutMs: commandTimeoutMs }));
  return { client, groups: () => system.groups() };
}

/** Runs two measurements one directly after the other, so that what else the machine does hits both alike. */
export async function inTurn<First, Second>(
  firstBegins: boolean,
  first: () => Promise<First>,
  second: () => Promise<Second>,
): Promise<[First, Second]> {
  if (firstBegins) {
    const done = await first();
    return [done, await second()];
  }
  const done = await second();
  return [await first(), done];
}

/** Has a client place orders, watches what that takes, and checks every result. */
export async function throughputOf(
  contender: Contender,
  command: { do: 'batch'; orders: number } | { do: 'singles'; orders: number; inFlight: number },
): Promise<Throughput> {
  const { answer, usage } = await watched(contender, () => contender.client.ask(command));
  await contender.client.ask({ do: 'verify' });
  return { units: command.orders, ms: answer.ms, submitMs: answer.submitMs, usage };
}

/** Has a client place one order after another. */
export async function latencyOf(contender: Contender, orders: number): Promise<Latency> {
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
