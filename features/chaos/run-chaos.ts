import { setTimeout as sleep } from 'node:timers/promises';
import { checkGuarantees } from '../src/guarantees.ts';
import { until } from '../src/system.ts';
import type { Fault } from './faults/fault.ts';
import { processFaults } from './faults/process-faults.ts';
import { storeFaults } from './faults/store-faults.ts';
import type { History } from './history.ts';
import { Random } from './random.ts';
import { badWorkers } from './scenarios/bad-workers.ts';
import { crowds } from './scenarios/crowds.ts';
import { graphs } from './scenarios/graphs.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { webhooks } from './scenarios/webhooks.ts';
import type { ChaosWorld } from './world.ts';

/** Every fault that hits orders under way, and every scenario with orders of its own. */
export const FAULTS: readonly Fault[] = [...processFaults, ...storeFaults];
export const SCENARIOS: readonly Scenario[] = [...badWorkers, ...crowds, webhooks, graphs];

const TASKS = ['probe/steady', 'probe/steady', 'probe/steady'];
/** Beyond the work itself: the last fault, a hold, a reconciliation, and what a busy machine adds. */
const SETTLE_MS = 240_000;
/** Injections of which at least this share must have hit orders under way: else the run proves nothing. */
const LEAST_HIT = 0.9;

export interface ChaosOptions {
  seed: number;
  orders: number;
  /** Ids of faults and scenarios; all without. */
  only: readonly string[] | undefined;
  /** Each fault is injected so many times. */
  repeats: number;
}

/** What a run came to. */
export interface ChaosReport {
  orders: number;
  injections: number;
  hits: number;
  attemptsAStep: number;
  lateReports: number;
  scenarios: { id: string; title: string; seen: string }[];
}

/**
 * One seeded run: orders flow in while one fault after the other is injected in a random order; then every order must
 * have completed with its right result, one accepted result a step, and a history that replays to the database. Then the
 * scenarios, one by one.
 *
 * @throws Error naming what does not hold
 */
export async function runChaos(world: ChaosWorld, options: ChaosOptions, history: History): Promise<ChaosReport> {
  const random = new Random(options.seed);
  const wanted = ({ id }: { id: string }): boolean => options.only?.includes(id) ?? true;
  history.write('run', { ...options });
  const mixed = await runFaults(world, { ...options, faults: FAULTS.filter(wanted) }, { random, history });
  const scenarios: ChaosReport['scenarios'] = [];
  for (const scenario of SCENARIOS.filter(wanted)) {
    const { id, title } = scenario;
    history.write('scenario', { id, title });
    const seen = await scenario.run(world, random, options.orders).catch((error: unknown) => {
      throw new Error(`${id} (${title}): ${String(error)}`, { cause: error });
    });
    history.write('seen', { id, seen });
    scenarios.push({ id, title, seen });
  }
  return { ...mixed, scenarios };
}

async function runFaults(
  world: ChaosWorld,
  { orders, faults, repeats }: ChaosOptions & { faults: readonly Fault[] },
  { random, history }: { random: Random; history: History },
): Promise<Omit<ChaosReport, 'scenarios'>> {
  const injections = random.shuffle(faults.flatMap((fault) => Array.from({ length: repeats }, () => fault)));
  if (injections.length === 0) return { orders: 0, injections: 0, hits: 0, attemptsAStep: 1, lateReports: 0 };
  const ids: string[] = [];
  let hits = 0;
  for (const [at, fault] of injections.entries()) {
    const due = Math.round((orders * (at + 1)) / injections.length);
    ids.push(...(await place(world, ids.length, due)));
    await sleep(random.below(400));
    const before = await until(() => world.inFlight(), 60_000);
    if (before.jobs > 0) hits++;
    history.write('inject', { id: fault.id, title: fault.title, placed: ids.length, ...before });
    await fault.inject(world, random);
    history.write('healed', { id: fault.id });
  }
  const open = (): Promise<number> =>
    world.system.store.prisma.order.count({ where: { id: { in: ids }, state: { in: ['accepted', 'active'] } } });
  await until(async () => (await open()) === 0, SETTLE_MS).catch(async (error: unknown) => {
    throw new Error(`${await open()} orders are stuck`, { cause: error });
  });
  const kept = await checkGuarantees(world.system, ids, { steps: TASKS.length, result: (i) => i + TASKS.length });
  for (const fault of faults) await fault.check?.(world);
  if (hits < injections.length * LEAST_HIT) {
    throw new Error(`only ${hits} of ${injections.length} faults hit work under way: the run proves nothing`);
  }
  const attemptsAStep = 1 + kept.extraAttempts / (ids.length * TASKS.length);
  return { orders: ids.length, injections: injections.length, hits, attemptsAStep, lateReports: kept.lateReports };
}

/** Places orders `from` up to `to`, each by its own call and key, so that a gateway that dies places none twice. */
async function place(world: ChaosWorld, from: number, to: number): Promise<string[]> {
  const ids: string[] = Array.from({ length: to - from }, () => '');
  const numbers = ids.keys();
  const caller = async (): Promise<void> => {
    for (const at of numbers) {
      ids[at] = await world.system.api.place({ client: 'default', input: from + at, tasks: TASKS });
    }
  };
  await Promise.all(Array.from({ length: 16 }, caller));
  return ids;
}
