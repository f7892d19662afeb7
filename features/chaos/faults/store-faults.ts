import { setTimeout as sleep } from 'node:timers/promises';
import { signLease, leaseKey, deliveryId, type JobId, type OrderId, type ProfileId } from '@connecta/contracts';
import { openQueue } from '@connecta/queue';
import type { ChaosWorld } from '../world.ts';
import type { Fault } from './fault.ts';

const UP_MS = 60_000;
/** How long Redis is away in F13 (60 s in its long form, `--long`). */
const REDIS_AWAY_MS = process.argv.includes('--long') ? 60_000 : 8000;
const LOSING_MS = 5000;
const REPLAYED = 50;

/** F11 to F13, F16, F18 and F20: what happens to the stores and to what travels to them. */
export const storeFaults: readonly Fault[] = [
  { id: 'F11', title: 'FLUSHALL', inject: (world) => world.redisCommand('FLUSHALL') },
  {
    id: 'F12',
    title: 'Redis killed and restarted empty',
    inject: (world) => world.service('redis').restart({ empty: true }),
  },
  {
    id: 'F12b',
    title: 'Redis killed and restarted with its file',
    async inject(world) {
      const redis = world.service('redis');
      redis.kill('SIGKILL');
      await redis.untilUp(UP_MS);
    },
  },
  {
    id: 'F13',
    title: 'Redis away; orders are still accepted',
    async inject(world) {
      world.redisWire.cut();
      try {
        await sleep(REDIS_AWAY_MS);
        const { status } = await world.system.api.send('POST', '/v1/orders', {
          body: { client: 'default', input: 1, tasks: ['probe/quick'] },
        });
        if (status !== 202) throw new Error(`without Redis an order was answered ${status}`);
      } finally {
        world.redisWire.mend();
      }
    },
  },
  { id: 'F16', title: 'deliveries that are over, delivered again', inject: replayDeliveries },
  {
    id: 'F18',
    title: 'Postgres ended at once and restarted',
    async inject(world) {
      const postgres = world.service('postgres');
      // What `pg_ctl stop -m immediate` sends: no checkpoint, recovery at the start.
      postgres.kill('SIGQUIT');
      await postgres.untilUp(UP_MS);
    },
  },
  {
    id: 'F20',
    title: 'commits that take place and whose answers get lost',
    async inject(world) {
      world.commits.lose = true;
      try {
        await sleep(LOSING_MS);
      } finally {
        world.commits.lose = false;
      }
    },
    check(world) {
      return world.commits.lost() > 0 ? Promise.resolve() : Promise.reject(new Error('no commit was lost'));
    },
  },
];

/** Puts deliveries of completed jobs into the queue again, with valid leases: a store that repeats itself. */
async function replayDeliveries(world: ChaosWorld): Promise<void> {
  const { REDIS_URL = '' } = world.stores.env;
  const queue = openQueue({ kind: 'redis', url: REDIS_URL, prefix: 'connecta', onError: () => undefined });
  try {
    const key = leaseKey(world.system.running.embedded.dataDir.secret('lease-key', 32));
    const jobs = await world.system.store.prisma.job.findMany({
      where: { state: 'completed', workerType: 'probe' },
      orderBy: { finishedAt: 'desc' },
      take: REPLAYED,
    });
    const deliveries = jobs.map((job) => {
      const [jobId, orderId] = [job.id as JobId, job.orderId as OrderId];
      const lease = { orderId, jobId, attempt: job.attempt, workerType: 'probe', expiresAtMs: Date.now() + 600_000 };
      return {
        id: deliveryId(jobId, job.attempt),
        name: job.function ?? '',
        data: {
          value: job.input as number,
          profileId: job.profileId as ProfileId,
          profileRevision: job.profileRevision ?? 1,
          lease: signLease(key, lease),
          traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
        },
      };
    });
    await queue.jobs.enqueue(new Map([['probe', deliveries]]));
  } finally {
    await queue.close();
  }
}
