import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/system.ts';
import { must, type Scenario } from './scenario.ts';

const CALLS = 60;
const ENDED_MS = 120_000;

/** F24: of many that cancel or retry one order at once, exactly one is the one who did it. */
const crowd: Scenario = {
  id: 'F24',
  title: 'cancels, completions and retries of one order at once',
  async run({ system: { api } }, _random, orders) {
    const rounds = Math.max(3, Math.min(20, Math.floor(orders / 100)));
    let cancelled = 0;
    for (let round = 0; round < rounds; round++) {
      const id = await api.place({ client: 'default', input: 1, tasks: ['probe/slow', 'probe/slow'] });
      await sleep(round * 10);
      const answers = await Promise.all(
        Array.from({ length: CALLS }, () => api.send('POST', `/v1/orders/${id}/cancel`)),
      );
      const won = answers.filter(({ status }) => status < 300).length;
      must(
        answers.every(({ status }) => status < 300 || status === 409),
        `a cancel was answered otherwise`,
      );
      must(won <= 1, `${won} cancels of one order were the one`);
      const { state } = await api.ended(id, ENDED_MS);
      must(state === (won === 1 ? 'cancelled' : 'completed'), `the order is ${state} after ${won} cancels`);
      cancelled += won;
    }
    const failed = await api.run({ client: 'default', input: 1, tasks: ['probe/refuse'] }, ENDED_MS);
    const retries = await Promise.all(
      Array.from({ length: CALLS }, () => api.send('POST', `/v1/orders/${failed.id}/retry`)),
    );
    must(
      retries.every(({ status }) => status < 300 || status === 409),
      'a retry was answered otherwise',
    );
    const accepted = retries.filter(({ status }) => status < 300).length;
    must(accepted >= 1, 'no retry was accepted');
    must((await api.ended(failed.id, ENDED_MS)).state === 'failed', 'the retried order did not fail again');
    return `${rounds} orders, ${cancelled} cancelled in time, ${accepted} of ${CALLS} retries accepted`;
  },
};

/** F26: each slot of a schedule fires once, whichever replica leads and dies. */
const schedules: Scenario = {
  id: 'F26',
  title: 'a schedule while its leaders die',
  async run(world) {
    const { api, store } = world.system;
    const name = `every-second-${Date.now()}`;
    const order = { client: 'default', input: 1, tasks: ['probe/quick'] };
    const made = await api.send<{ id: string }>('POST', '/v1/schedules', {
      body: { name, every: '1s', order, overlap: 'allow', missed: 'all' },
    });
    must(made.status === 201, `the schedule was answered ${made.status}: ${JSON.stringify(made.body)}`);
    for (const replica of world.processes('orchestrator')) {
      await sleep(2500);
      replica.kill('SIGKILL');
      await replica.untilUp(ENDED_MS);
    }
    await sleep(2500);
    await api.send('POST', `/v1/schedules/${made.body.id}/pause`);
    const ticks = await until(async () => {
      const rows = await store.prisma.scheduleTick.findMany({ where: { scheduleId: made.body.id } });
      return rows.length >= 5 && rows;
    });
    const slots = ticks.map(({ slot }) => slot.getTime()).sort((a, b) => a - b);
    for (const [at, slot] of slots.slice(1).entries()) {
      must(slot - (slots[at] ?? 0) === 1000, `slots ${slots[at]} and ${slot} are not one second apart`);
    }
    return `${slots.length} slots in a row, each once`;
  },
};

export const crowds: readonly Scenario[] = [crowd, schedules];
