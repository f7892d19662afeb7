import { setTimeout as sleep } from 'node:timers/promises';
import type { ChaosWorld } from '../world.ts';
import { settled } from '../settled.ts';
import { ENDED_MS, must, type Scenario } from './scenario.ts';

/** Orders under way beside the poisonous one: more than the workers take at once. */
const UNDER_WAY = 200;
const WAVE = 50;
/** How long the pace of others is taken without it. */
const QUIET_MS = 5000;
/** What others may lose of their pace (docs/faults.md). */
const MOST_LOST = 0.2;
const MOST_CRASHES = 3;
const CLIENTS = ['herd-a', 'herd-b', 'herd-c', 'herd-d'];
const BATCH = 500;
/** Between the client that got most and the one that got least of the first half of the work. */
const MOST_UNFAIR = 2;

/** Keeps orders under way until `over` and gives how many of them a second completed. All must complete in the end. */
async function paceUntil(over: Promise<unknown>, world: ChaosWorld): Promise<number> {
  const { system, store } = world;
  const order = { client: 'default', input: 1, tasks: ['probe/slow', 'probe/slow', 'probe/slow'] };
  const isOver = over.then(() => true);
  const ids: string[] = [];
  const open = new Set<string>();
  const since = Date.now();
  do {
    const wanted = Math.min(WAVE, UNDER_WAY - open.size);
    if (wanted > 0) {
      for (const id of await system.api.placeMany(Array.from({ length: wanted }, () => order))) {
        ids.push(id);
        open.add(id);
      }
    }
    const ended = await store.prisma.order.findMany({
      where: { id: { in: [...open] }, state: { notIn: ['accepted', 'active'] } },
      select: { id: true },
    });
    for (const { id } of ended) open.delete(id);
  } while (!(await Promise.race([isOver, sleep(50, false)])));
  const aSecond = (ids.length - open.size) / ((Date.now() - since) / 1000);
  await settled(world, ids);
  const completed = await store.prisma.order.count({ where: { id: { in: ids }, state: 'completed' } });
  must(completed === ids.length, `${ids.length - completed} other orders suffered`);
  return aSecond;
}

/** F7: a job that ends its worker every time is put aside; the others go on. */
const poisonous: Scenario = {
  id: 'F7',
  title: 'a job that crashes its worker every time',
  async run(world) {
    const { system, ledger } = world;
    const quiet = await paceUntil(sleep(QUIET_MS), world);
    const id = await system.api.place({ client: 'default', input: 1, tasks: ['probe/poison'] });
    const beside = await paceUntil(system.api.ended(id, ENDED_MS), world);
    const { state, jobs } = await system.api.ended(id, ENDED_MS);
    must(state === 'failed', `the poisonous order is ${state}`);
    must(jobs['poison']?.error?.code === 'poison', `it ended with ${jobs['poison']?.error?.code}`);
    const job = await world.store.prisma.job.findFirstOrThrow({ where: { orderId: id } });
    const crashes = (await ledger.entries()).filter(({ word, jobId }) => word === 'begin' && jobId === job.id).length;
    must(crashes <= MOST_CRASHES, `it crashed its worker ${crashes} times`);
    for (const runner of world.processes('probe-runner')) await runner.untilUp(ENDED_MS);
    const told = `${beside.toFixed(0)} other orders a second meanwhile, ${quiet.toFixed(0)} without it`;
    must(beside >= (1 - MOST_LOST) * quiet, `others lost too much of their pace: ${told}`);
    return `put aside after ${crashes} crashes; ${told}`;
  },
};

/** F33: work of several clients that waited for a worker is all done when workers come, no client far behind another. */
const herd: Scenario = {
  id: 'F33',
  title: 'a herd of orders of four clients waits without any worker',
  async run(world) {
    const { system, store, extent } = world;
    for (const name of CLIENTS) await system.api.send('POST', '/v1/clients', { body: { name } });
    const runners = world.processes('probe-runner');
    for (const runner of runners) await runner.halt();
    const ids: string[] = [];
    for (let placed = 0; placed < extent.herd; placed += BATCH) {
      const order = (_: unknown, i: number): object => ({
        ...{ client: CLIENTS[i % CLIENTS.length], input: i, tasks: ['probe/quick'] },
      });
      ids.push(...(await system.api.placeMany(Array.from({ length: Math.min(BATCH, extent.herd - placed) }, order))));
    }
    const since = Date.now();
    await Promise.all(runners.map((runner) => runner.restart()));
    await settled(world, ids);
    const orders = await store.prisma.order.findMany({ where: { id: { in: ids } }, orderBy: { finishedAt: 'asc' } });
    const done = orders.filter(({ state }) => state === 'completed').length;
    must(done === ids.length, `${ids.length - done} of ${ids.length} orders did not complete`);
    const half = Map.groupBy(orders.slice(0, done / 2), ({ clientId }) => clientId);
    const shares = [...half.values()].map((own) => own.length);
    const unfair = half.size < CLIENTS.length ? Infinity : Math.max(...shares) / Math.min(...shares);
    must(unfair <= MOST_UNFAIR, `of the first half one client got ${unfair} times what another got`);
    const first = await store.prisma.job.findFirst({ where: { orderId: { in: ids } }, orderBy: { startedAt: 'asc' } });
    const startMs = (first?.startedAt?.getTime() ?? Infinity) - since;
    return `${done} orders completed, the first began ${startMs} ms after the workers did; shares within ${unfair.toFixed(2)}`;
  },
};

export const badWorkers: readonly Scenario[] = [poisonous, herd];
