import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../src/system.ts';
import type { ChaosWorld } from '../world.ts';
import { ENDED_MS, must, type Scenario } from './scenario.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ZONE = 'Europe/Berlin';
const wall = new Intl.DateTimeFormat('sv-SE', { timeZone: ZONE, dateStyle: 'short', timeStyle: 'short' });

/** The last change of clocks before now: an instant before it, less than a day away. */
function beforeTheChange(now: number): number {
  const offset = (at: number): number =>
    Date.parse(`${wall.format(at).replace(' ', 'T')}Z`) - Math.floor(at / 60_000) * 60_000;
  let at = now;
  while (offset(at) === offset(at - DAY_MS)) at -= DAY_MS;
  return at - DAY_MS;
}

async function schedule({ system: { api } }: ChaosWorld, name: string, times: object): Promise<string> {
  const order = { client: 'default', input: 1, tasks: ['probe/quick'] };
  const body = { name: `${name}-${Date.now()}`, ...times, order, overlap: 'allow', missed: 'all', maxCatchUp: 1000 };
  const made = await api.send<{ id: string }>('POST', '/v1/schedules', { body });
  must(made.status === 201, `a schedule was answered ${made.status}: ${JSON.stringify(made.body)}`);
  return made.body.id;
}

/** As if the system had been down since: the slots from then on have been missed. */
async function downSince({ store }: ChaosWorld, id: string, since: number): Promise<void> {
  await store.prisma.schedule.update({ where: { id }, data: { nextAt: new Date(since) } });
}

/** The slots that fired, in order. @throws Error when an order is missing or there twice */
async function firedSlots({ store }: ChaosWorld, id: string): Promise<number[]> {
  const ticks = await store.prisma.scheduleTick.findMany({ where: { scheduleId: id }, orderBy: { slot: 'asc' } });
  const fired = ticks.filter(({ state }) => state === 'fired');
  const orders = await store.prisma.order.count({
    where: { id: { in: fired.flatMap(({ orderId }) => orderId ?? []) } },
  });
  must(orders === fired.length, `${orders} orders of ${fired.length} slots`);
  return fired.map(({ slot }) => slot.getTime());
}

function mustFollow(slots: readonly number[], stepMs: number): void {
  for (const [at, slot] of slots.slice(1).entries()) {
    must(slot - (slots[at] ?? 0) === stepMs, `slots ${slots[at]} and ${slot} are not ${stepMs} ms apart`);
  }
}

/** Each day at half past two by the wall's clock, whatever became of the clocks. */
function mustBeDaily(slots: readonly number[], since: number): void {
  const days = slots.map((slot) => wall.format(slot).slice(0, 10));
  must(new Set(days).size === days.length, 'a day fired twice over the change of clocks');
  const wanted = Math.floor((Date.now() - since) / DAY_MS);
  must(Math.abs(days.length - wanted) <= 1, `${days.length} days fired of ${wanted}`);
}

/** F26: each slot of a schedule fires once, whichever of three replicas leads and dies, also what was missed. */
export const schedules: Scenario = {
  id: 'F26',
  title: 'schedules while their leaders die: a second, a day to catch up, a change of clocks',
  async run(world) {
    const now = Date.now();
    const second = await schedule(world, 'every-second', { every: '1s' });
    const hourly = await schedule(world, 'hourly', { cron: '0 * * * *', timeZone: 'UTC' });
    const daily = await schedule(world, 'daily', { cron: '30 2 * * *', timeZone: ZONE });
    const change = beforeTheChange(now);
    await downSince(world, hourly, now - DAY_MS);
    await downSince(world, daily, change);
    for (const replica of world.processes('orchestrator')) {
      await sleep(1000);
      replica.kill('SIGKILL');
      await replica.untilUp(ENDED_MS);
    }
    await until(async () => (await firedSlots(world, second)).length >= 5);
    await until(async () => (await firedSlots(world, hourly)).length >= 24);
    await until(async () => (await firedSlots(world, daily)).length > 0);
    await world.system.api.send('POST', `/v1/schedules/${second}/pause`);
    const [seconds, hours, days] = [
      await firedSlots(world, second),
      await firedSlots(world, hourly),
      await firedSlots(world, daily),
    ];
    mustFollow(seconds, 1000);
    mustFollow(hours, HOUR_MS);
    must(hours.length <= 25, `${hours.length} hours fired of a day`);
    mustBeDaily(days, change);
    return `${seconds.length} seconds, ${hours.length} missed hours and ${days.length} days over a change of clocks, each once`;
  },
};
