import type { ChaosWorld } from '../world.ts';
import { settled } from '../settled.ts';
import { ENDED_MS, must, type Scenario } from './scenario.ts';

const OTHERS = 100;
const MOST_CRASHES = 3;
const CLIENTS = ['herd-a', 'herd-b', 'herd-c', 'herd-d'];
const BATCH = 500;
/** Between the client that got most and the one that got least of the first half of the work. */
const MOST_UNFAIR = 2;

/** Runs a hundred orders and gives how many of them a second completed. */
async function throughput({ system: { api }, store }: ChaosWorld, before?: () => Promise<unknown>): Promise<number> {
  const tasks = ['probe/slow', 'probe/slow', 'probe/slow'];
  await before?.();
  const since = Date.now();
  const ids = await api.placeMany(Array.from({ length: OTHERS }, () => ({ client: 'default', input: 1, tasks })));
  for (const id of ids) must((await api.ended(id, ENDED_MS)).state === 'completed', 'another order suffered');
  const last = await store.prisma.order.findFirst({ where: { id: { in: ids } }, orderBy: { finishedAt: 'desc' } });
  return OTHERS / (((last?.finishedAt?.getTime() ?? Date.now()) - since) / 1000);
}

/** F7: a job that ends its worker every time is put aside; the others go on. */
const poisonous: Scenario = {
  id: 'F7',
  title: 'a job that crashes its worker every time',
  async run(world) {
    const { system, ledger } = world;
    const quiet = await throughput(world);
    let id = '';
    const beside = await throughput(world, async () => {
      id = await system.api.place({ client: 'default', input: 1, tasks: ['probe/poison'] });
    });
    const { state, jobs } = await system.api.ended(id, ENDED_MS);
    must(state === 'failed', `the poisonous order is ${state}`);
    must(jobs['poison']?.error?.code === 'poison', `it ended with ${jobs['poison']?.error?.code}`);
    const job = await world.store.prisma.job.findFirstOrThrow({ where: { orderId: id } });
    const crashes = (await ledger.entries()).filter(({ word, jobId }) => word === 'begin' && jobId === job.id).length;
    must(crashes <= MOST_CRASHES, `it crashed its worker ${crashes} times`);
    for (const runner of world.processes('probe-runner')) await runner.untilUp(ENDED_MS);
    const told = `${beside.toFixed(0)} other orders a second meanwhile, ${quiet.toFixed(0)} without it`;
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
