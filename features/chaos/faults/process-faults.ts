import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../random.ts';
import { HOLD_MS, type ChaosWorld } from '../world.ts';
import type { Fault } from './fault.ts';

const UP_MS = 60_000;

/** Kills one process of a kind; supervision brings it back. */
function killing(id: string, title: string, prefix: string): Fault {
  return {
    id,
    title,
    async inject(world, random) {
      const victim = random.pick(world.processes(prefix));
      victim.kill('SIGKILL');
      await victim.untilUp(UP_MS);
    },
  };
}

/** Freezes a process: to all others it is there, and says nothing. */
async function freeze(
  world: ChaosWorld,
  random: Random,
  { prefix, ms }: { prefix: string; ms: number },
): Promise<void> {
  const victim = random.pick(world.processes(prefix));
  victim.kill('SIGSTOP');
  try {
    await sleep(ms);
  } finally {
    victim.kill('SIGCONT');
  }
}

/** F1 to F4 and F21: what happens to processes. */
export const processFaults: readonly Fault[] = [
  killing('F1', 'kill -9 of a runner', 'probe-runner'),
  killing('F2', 'kill -9 of an orchestrator', 'orchestrator'),
  killing('F3', 'kill -9 of fe-api', 'fe-api'),
  killing('F3b', 'kill -9 of be-api', 'be-api'),
  {
    id: 'F4',
    title: 'a runner frozen for two holds comes back with late results',
    inject: (world, random) => freeze(world, random, { prefix: 'probe-runner', ms: 2 * HOLD_MS + 1000 }),
  },
  {
    id: 'F21',
    title: 'an orchestrator frozen in the middle of its transactions',
    inject: (world, random) => freeze(world, random, { prefix: 'orchestrator', ms: 5000 }),
    async check(world) {
      const { rows } = await world.system.store.pool.query<{ stuck: number }>(
        `SELECT count(*)::int AS stuck FROM pg_stat_activity
         WHERE state LIKE 'idle in transaction%' AND state_change < now() - interval '10 seconds'`,
      );
      if (rows[0]?.stuck !== 0) throw new Error(`${rows[0]?.stuck} sessions are stuck in a transaction`);
    },
  },
];
