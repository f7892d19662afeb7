import { until } from '../../src/system.ts';
import type { Random } from '../random.ts';
import type { ChaosWorld } from '../world.ts';
import { Receiver } from './receiver.ts';
import { ENDED_MS, must, type Scenario } from './scenario.ts';

/** So many attempts at least before a message is given up. */
const LEAST_ATTEMPTS = 8;
/** What is on its way to a receiver counts as due in two minutes: no wait of the schedule is as long. */
const UNDER_WAY_MS = [60_000, 125_000] as const;

/** Receivers of which some fail or hang at first: every end arrives, under one id, and no order waits for it. */
async function failAtFirst({ system: { api }, store, extent }: ChaosWorld, random: Random): Promise<string> {
  const receiver = await Receiver.start((attempt) => {
    const chance = attempt === 1 ? random.next() : 1;
    return chance < 0.2 ? 'hang' : chance < 0.5 ? 500 : 204;
  });
  try {
    const order = { client: 'default', input: 1, tasks: ['probe/quick'], webhook: receiver.url };
    const ids = await api.placeMany(Array.from({ length: extent.webhooks }, () => order));
    for (const id of ids) must((await api.ended(id)).state === 'completed', 'an order waited for its webhook');
    const where = { orderId: { in: ids }, state: 'delivered' };
    await until(async () => (await store.prisma.delivery.count({ where })) === ids.length, ENDED_MS);
    const attempts = [...receiver.attempts.values()];
    must(attempts.length === ids.length, `${attempts.length} ids for ${ids.length} orders`);
    const again = attempts.filter((count) => count > 1).length;
    must(again > 0, 'no receiver failed');
    return `${ids.length} ends delivered, ${again} of them in a second attempt`;
  } finally {
    receiver.close();
  }
}

/** The message to a receiver that failed for the n-th time, once that is written down, and how long it then waits. */
function failed(
  { store }: ChaosWorld,
  target: string,
  attempts: number,
): Promise<{ id: string; waitMs: number } | null> {
  return until(async () => {
    const row = await store.prisma.delivery.findFirst({ where: { target, attempts }, orderBy: { createdAt: 'asc' } });
    if (!row) return undefined;
    if (row.state === 'failed') return { id: row.id, waitMs: 0 };
    const waitMs = row.nextAt.getTime() - Date.now();
    const isUnderWay = waitMs > UNDER_WAY_MS[0] && waitMs < UNDER_WAY_MS[1];
    return row.state === 'due' && !isUnderWay && waitMs > 0 && { id: row.id, waitMs };
  });
}

/** Moves the time on for a message: what it waits for has come. The waits before its attempts, as they were planned. */
async function untilAttempt(world: ChaosWorld, target: string, last: number): Promise<number[]> {
  const waits: number[] = [];
  for (let attempt = 1; attempt < last; attempt++) {
    const row = await failed(world, target, attempt);
    if (!row || row.waitMs === 0) break;
    waits.push(row.waitMs);
    await world.store.prisma.delivery.update({ where: { id: row.id }, data: { nextAt: new Date() } });
  }
  return waits;
}

/** A receiver that is away for days: tried again and again, ever more seldom, and served when it is back. */
async function awayForDays(world: ChaosWorld): Promise<string> {
  const receiver = await Receiver.start((attempt) => (attempt <= LEAST_ATTEMPTS ? 503 : 204));
  try {
    const { api } = world.system;
    const order = { client: 'default', input: 1, tasks: ['probe/quick'], webhook: receiver.url };
    const { id: orderId } = await api.run(order);
    const waits = await untilAttempt(world, receiver.url, LEAST_ATTEMPTS + 1);
    const where = { orderId, state: 'delivered' };
    await until(async () => (await world.store.prisma.delivery.count({ where })) === 1);
    must(receiver.attempts.size === 1, `one message had ${receiver.attempts.size} ids`);
    must(waits.length === LEAST_ATTEMPTS, `it waited ${waits.length} times`);
    must(
      waits.every((wait, at) => at === 0 || wait > (waits[at - 1] ?? 0)),
      `it waited ${waits.join(', ')} ms`,
    );
    const hours = Math.round(waits.reduce((sum, wait) => sum + wait, 0) / 3_600_000);
    return `one that is away got its message in attempt ${waits.length + 1}, ${hours} h later`;
  } finally {
    receiver.close();
  }
}

/** A team's channel that takes nothing for days is switched off, and the team told over its other one. */
async function switchedOff(world: ChaosWorld): Promise<string> {
  const { api } = world.system;
  const [dead, live] = [await Receiver.start(() => 500), await Receiver.start(() => 204)];
  try {
    const channel = async (target: string): Promise<string> => {
      const body = { team: 'features', kind: 'webhook', target };
      return (await api.send<{ id: string }>('POST', '/v1/notification-channels', { body })).body.id;
    };
    const deadId = await channel(dead.url);
    await channel(live.url);
    await api.run({ client: 'default', input: 1, tasks: ['probe/liar'] }, ENDED_MS);
    await untilAttempt(world, dead.url, Number.POSITIVE_INFINITY);
    const isOff = async (): Promise<boolean> => {
      const { body } = await api.send<{ enabled: boolean }>('GET', `/v1/notification-channels/${deadId}`);
      return !body.enabled;
    };
    await until(isOff);
    await until(() => Promise.resolve(live.bodies.some((body) => body.includes('channel_disabled'))));
    return 'a channel that takes nothing was switched off and its team told';
  } finally {
    dead.close();
    live.close();
  }
}

/** F32: receivers that fail, hang, are away, and never come back. */
export const webhooks: Scenario = {
  id: 'F32',
  title: 'webhook receivers that fail, hang and are away',
  async run(world, random) {
    const seen = await Promise.all([failAtFirst(world, random), awayForDays(world), switchedOff(world)]);
    return seen.join('; ');
  },
};
