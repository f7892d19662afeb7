import { setTimeout as sleep } from 'node:timers/promises';
import { parseDeliveryId } from '@connecta/contracts';
import { until } from '../../src/system.ts';
import type { ChaosWorld } from '../world.ts';
import type { Fault, Injection, Strike } from './fault.ts';
import { seek } from './hands.ts';
import { repeatDeliveries } from './replay.ts';

const UP_MS = 60_000;
const MOMENT_MS = 8000;
/** F18: everybody is back so long after Postgres is. */
const BACK_MS = 15_000;
/** Orders that are placed while Redis is away. */
const MEANWHILE = 5;
/** F20: of so many answers of the database one vanishes (1 %, 5 %), and of so many requests to it. */
const LOST_ANSWERS = [100, 20];
const LOST_REQUESTS = 100;
/** The longest that is waited for a first loss. */
const FIRST_LOSS_MS = 30_000;

/** So many deliveries are waited for before Redis is struck. */
const DELIVERIES = 5;

/** Does something to Redis while deliveries are in it. */
async function strikeRedis(world: ChaosWorld, strike: () => Promise<unknown>): Promise<Strike> {
  const ids =
    (await seek(async () => {
      const found = await world.deliveries();
      return found.length >= DELIVERIES && found;
    })) ?? (await world.deliveries());
  const atMs = Date.now();
  await strike();
  const attempts = ids.flatMap((id) => parseDeliveryId(id) ?? []);
  return { hit: ids.length, of: 'deliveries in the queue', atMs, attempts };
}

/** F13: Redis is away for a while; what is ordered meanwhile is accepted, and runs when it is back. */
async function takeRedisAway({ world, flow }: Injection): Promise<Strike> {
  return strikeRedis(world, async () => {
    world.redis.cut();
    try {
      await sleep(world.extent.redisAwayMs / 2);
      const statuses = await Promise.all(Array.from({ length: MEANWHILE }, () => flow.placeNow()));
      if (statuses.some((status) => status !== 202)) {
        throw new Error(`without Redis orders were answered ${statuses.join()}`);
      }
      await sleep(world.extent.redisAwayMs / 2);
    } finally {
      world.redis.mend();
    }
  });
}

/** F18: what `pg_ctl stop -m immediate` sends: no checkpoint, recovery at the start. */
async function endPostgres({ world }: Injection): Promise<Strike> {
  const postgres = world.service('postgres');
  let hit = 0;
  const strike = (): void => {
    hit = world.database.openTransactions();
    postgres.kill('SIGQUIT');
  };
  if (!(await world.database.strike({ moment: 'opened', of: () => true, strike }, MOMENT_MS))) strike();
  const atMs = Date.now();
  await postgres.untilUp(UP_MS);
  const upAt = Date.now();
  const isReady = async (url: string): Promise<boolean> => (await fetch(`${url}/ready`)).ok;
  const { feUrl, beUrl } = world.system.running;
  await until(async () => (await isReady(feUrl)) && (await isReady(beUrl)), BACK_MS);
  return { hit, of: 'open transactions', atMs, seen: { backAfterMs: Date.now() - upAt } };
}

/** F20: answers of the database vanish after the write, and requests before it, each with its connection. */
async function loseAnswers({ world: { database, extent } }: Injection): Promise<Strike> {
  const { oneIn, vanished } = database;
  const atMs = Date.now();
  const before = { ...vanished };
  const phase = async (what: 'answers' | 'requests', every: number): Promise<void> => {
    const lostBefore = vanished[what];
    oneIn[what] = every;
    try {
      await sleep(extent.losingMs);
      await until(() => Promise.resolve(vanished[what] > lostBefore), FIRST_LOSS_MS);
    } finally {
      oneIn[what] = 0;
    }
  };
  for (const every of LOST_ANSWERS) await phase('answers', every);
  await phase('requests', LOST_REQUESTS);
  const answers = vanished.answers - before.answers;
  const requests = vanished.requests - before.requests;
  return { hit: answers + requests, of: 'answers and requests that vanished', atMs, seen: { answers, requests } };
}

/** F11 to F13, F16, F18 and F20: what happens to the stores and to what travels to them. */
export const storeFaults: readonly Fault[] = [
  {
    ...{ id: 'F11', title: 'FLUSHALL', full: 5 },
    inject: ({ world }) => strikeRedis(world, () => world.system.redisCommand('FLUSHALL')),
  },
  {
    ...{ id: 'F12', title: 'Redis killed and restarted empty', full: 5 },
    inject: ({ world }) => strikeRedis(world, () => world.service('redis').restart({ empty: true })),
  },
  {
    ...{ id: 'F12b', title: 'Redis killed and restarted with its file', full: 5 },
    inject: ({ world }) =>
      strikeRedis(world, async () => {
        const redis = world.service('redis');
        redis.kill('SIGKILL');
        await redis.untilUp(UP_MS);
      }),
  },
  { ...{ id: 'F13', title: 'Redis away; orders are still accepted', full: 5 }, inject: takeRedisAway },
  {
    ...{ id: 'F16', title: 'deliveries made three times, and old ones made again', full: 5 },
    inject: ({ world }) => repeatDeliveries(world),
  },
  { ...{ id: 'F18', title: 'Postgres ended at once and restarted', full: 10 }, inject: endPostgres },
  {
    ...{ id: 'F20', title: 'answers of the database vanish after writes, requests before', full: 5 },
    inject: loseAnswers,
  },
];
