import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../src/system.ts';
import type { ChaosWorld } from './world.ts';

/** Locks of dead workers run out after 90 s; then the queue is compared as a whole, every 30 s. */
const TIDY_MS = 200_000;

/** What must not be there when all orders have ended, with how it is counted. */
const LEFTOVERS = {
  'open claims': 'SELECT count(*)::int AS n FROM job_claims WHERE ended_at IS NULL',
  'holds of jobs that are not there': `SELECT count(*)::int AS n FROM job_holds h
     WHERE NOT EXISTS (SELECT FROM jobs j WHERE j.id = h.job_id)`,
  'attempts that some worker still lists': `SELECT count(*)::int AS n FROM job_holds
     WHERE seen_at > now() - interval '2 seconds'`,
  'open jobs of orders that have ended': `SELECT count(*)::int AS n FROM jobs j JOIN orders o ON o.id = j.order_id
     WHERE j.state IN ('pending', 'invoked', 'queued', 'started', 'waiting') AND o.state NOT IN ('accepted', 'active')`,
  'blobs of jobs that are not there': `SELECT count(*)::int AS n FROM blobs b
     WHERE b.job_id IS NOT NULL AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = b.job_id)`,
} as const;

/** @throws Error naming what is left over of a run, beyond what is tidied up by itself in a while */
export async function checkLeftovers(world: ChaosWorld): Promise<void> {
  let left: string[] = [];
  await until(async () => {
    left = [];
    for (const [what, text] of Object.entries(LEFTOVERS)) {
      const { rows } = await world.store.pool.query<{ n: number }>(text);
      if (rows[0]?.n !== 0) left.push(`${rows[0]?.n} ${what}`);
    }
    const { waiting, active } = await world.queue.jobs.ids('probe');
    const locked = world.extent.untilUnlocked ? active : [];
    if (waiting.length + locked.length > 0) left.push(`${waiting.length + locked.length} deliveries in the queue`);
    if (left.length > 0) await sleep(500);
    return left.length === 0;
  }, TIDY_MS).catch((cause: unknown) => {
    throw new Error(`left over: ${left.join(', ')}`, { cause });
  });
}
