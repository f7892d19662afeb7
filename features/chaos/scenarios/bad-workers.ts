import { until } from '../../src/system.ts';
import { must, type Scenario } from './scenario.ts';

const ENDED_MS = 120_000;

/** F6: a function that runs on and on says nothing; its step's time ends it, and it is tried elsewhere. */
const hanging: Scenario = {
  id: 'F6',
  title: 'a worker hangs, its heartbeats go on',
  async run({ system: { api } }) {
    const stuck = { uses: 'probe/stuck', timeouts: { complete: '2s' }, retry: { max: 2, delay: '100ms' } };
    const id = await api.place({ client: 'default', input: 1, steps: { stuck } });
    const well = await api.place({ client: 'default', input: 1, tasks: ['probe/quick'] });
    must((await api.ended(well, ENDED_MS)).state === 'completed', 'another order did not complete');
    const { state, jobs } = await api.ended(id, ENDED_MS);
    must(state === 'failed', `the order that hangs is ${state}`);
    const { error, attempt } = jobs['stuck'] ?? {};
    must(error?.code === 'complete_timeout', `it ended with ${error?.code}`);
    return `ended with ${error.code} after ${attempt} attempts`;
  },
};

/** F7: a job that ends its worker every time is put aside; the others go on. */
const poisonous: Scenario = {
  id: 'F7',
  title: 'a job that crashes its worker every time',
  async run({ system: { api } }, _random, orders) {
    const id = await api.place({ client: 'default', input: 1, tasks: ['probe/poison'] });
    const tasks = ['probe/quick', 'probe/quick', 'probe/quick'];
    const others = await api.placeMany(
      Array.from({ length: Math.min(orders, 100) }, () => ({ client: 'default', input: 1, tasks })),
    );
    const { state, jobs } = await api.ended(id, ENDED_MS);
    must(state === 'failed', `the poisonous order is ${state}`);
    const { error, attempt = 0 } = jobs['poison'] ?? {};
    must(error?.code === 'poison', `it ended with ${error?.code}`);
    must(attempt <= 5, `it crashed its worker ${attempt} times`);
    for (const other of others)
      must((await api.ended(other, ENDED_MS)).state === 'completed', 'another order suffered');
    return `put aside after ${attempt} crashes, ${others.length} other orders completed`;
  },
};

/** F33: work that waited for a worker is all done when workers come. */
const herd: Scenario = {
  id: 'F33',
  title: 'a herd of orders waits without any worker',
  async run(world, _random, orders) {
    const runners = world.processes('probe-runner');
    for (const runner of runners) await runner.halt();
    const { api, store } = world.system;
    const ids: string[] = [];
    for (let placed = 0; placed < orders; placed += 500) {
      const count = Math.min(500, orders - placed);
      const batch = Array.from({ length: count }, (_, i) => ({ client: 'default', input: i, tasks: ['probe/quick'] }));
      ids.push(...(await api.placeMany(batch)));
    }
    for (const runner of runners) await runner.restart();
    const open = (): Promise<number> =>
      store.prisma.order.count({ where: { id: { in: ids }, state: { in: ['accepted', 'active'] } } });
    await until(async () => (await open()) === 0, ENDED_MS);
    const done = await store.prisma.order.count({ where: { id: { in: ids }, state: 'completed' } });
    must(done === ids.length, `${ids.length - done} of ${ids.length} orders did not complete`);
    return `${done} orders completed`;
  },
};

export const badWorkers: readonly Scenario[] = [hanging, poisonous, herd];
