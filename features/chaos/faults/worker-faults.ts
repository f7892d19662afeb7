import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessHandle } from '@connecta/embedded';
import { until } from '../../src/system.ts';
import { blockMsOf } from '../extent.ts';
import type { Random } from '../random.ts';
import type { ChaosWorld } from '../world.ts';
import type { Fault, Strike } from './fault.ts';
import { openInHands, pickBusy, quarantined, recovered } from './hands.ts';

const UP_MS = 60_000;
/** What a lost step may cost beyond the hold time: a look of the reconciler (10 s at most), and the work itself. */
const RECOVERY_MS = 20_000;

const runners = (world: ChaosWorld): ProcessHandle[] => world.processes('probe-runner');

/** Kills a worker that has steps in its hands. */
async function killWorker(world: ChaosWorld, victim: ProcessHandle): Promise<Strike> {
  const { pid } = victim;
  victim.kill('SIGKILL');
  const atMs = Date.now();
  const attempts = await openInHands(world, pid);
  await victim.untilUp(UP_MS);
  await recovered(world, attempts, world.extent.holdMs + RECOVERY_MS);
  return { hit: attempts.length, of: 'steps in its hands', atMs, attempts };
}

/** Stops a worker for more than two holds, and has it go on: to all others it is there, and says nothing. */
async function freezeWorker(world: ChaosWorld, random: Random, workers: readonly ProcessHandle[]): Promise<Strike> {
  const victim = await pickBusy(world, random, workers);
  const { pid } = victim;
  victim.kill('SIGSTOP');
  const atMs = Date.now();
  try {
    const attempts = await openInHands(world, pid);
    await sleep(2 * world.extent.holdMs + 1000);
    // Others have what it had: only then is it late.
    await recovered(world, attempts, world.extent.holdMs + RECOVERY_MS);
    victim.kill('SIGCONT');
    const refused = await quarantined(world, attempts);
    return { hit: attempts.length, of: 'steps in its hands', atMs, attempts, seen: { refused } };
  } finally {
    victim.kill('SIGCONT');
  }
}

/** Over HTTP a late worker is told so as well. */
async function answeredLate({ ledger }: ChaosWorld, { attempts = [] }: Strike): Promise<void> {
  const late = async (): Promise<boolean> => {
    const told = (await ledger.entries()).filter(({ word }) => word === 'answered-409');
    return attempts.every(({ jobId, attempt }) => told.some((one) => one.jobId === jobId && one.attempt === attempt));
  };
  await until(late).catch((cause: unknown) => {
    throw new Error('a late result was not answered 409', { cause });
  });
}

/** F5: an order whose function keeps its process from all else, heartbeats included, for three holds. */
async function blockLoop(world: ChaosWorld): Promise<Strike> {
  const { system, ledger, extent } = world;
  const orderId = await system.api.place({ client: 'default', input: 1, tasks: ['probe/block'] });
  const { jobId, pid } = await until(async () => {
    const job = await world.store.prisma.job.findFirst({ where: { orderId } });
    return (await ledger.entries()).find((entry) => entry.word === 'begin' && entry.jobId === job?.id);
  });
  // It begins to block 300 ms later.
  await sleep(500);
  const atMs = Date.now();
  const attempts = await openInHands(world, pid);
  await recovered(world, attempts, extent.holdMs + RECOVERY_MS);
  await until(
    async () => (await ledger.entries()).some((one) => one.word === 'done' && one.jobId === jobId && one.pid === pid),
    blockMsOf(extent) + UP_MS,
  );
  const refused = await quarantined(world, attempts);
  const { state, result, jobs } = await system.api.ended(orderId);
  const took = jobs['block']?.attempt ?? 0;
  if (state !== 'completed' || result !== 2 || took < 2) throw new Error(`it is ${state} after ${took} attempts`);
  return { hit: attempts.length, of: 'steps in its hands', atMs, attempts, seen: { refused, attempt: took } };
}

/** F1, F4 and F5: what happens to workers, those that speak HTTP among them. */
export const workerFaults: readonly Fault[] = [
  {
    ...{ id: 'F1', title: 'kill -9 of a runner', full: 50 },
    inject: async ({ world, random }) => killWorker(world, await pickBusy(world, random, runners(world))),
  },
  {
    ...{ id: 'F1h', title: 'kill -9 of a worker that speaks HTTP', full: 50 },
    inject: async ({ world, random }) => killWorker(world, await pickBusy(world, random, [world.httpWorker])),
  },
  {
    ...{ id: 'F4', title: 'a runner frozen for two holds comes back with late results', full: 50 },
    inject: ({ world, random }) => freezeWorker(world, random, runners(world)),
  },
  {
    ...{ id: 'F4h', title: 'a worker that speaks HTTP, frozen for two holds, is answered 409', full: 50 },
    async inject({ world, random }) {
      const strike = await freezeWorker(world, random, [world.httpWorker]);
      await answeredLate(world, strike);
      return strike;
    },
  },
  {
    ...{ id: 'F5', title: 'a function blocks its process for three holds', full: 20 },
    inject: ({ world }) => blockLoop(world),
  },
];
