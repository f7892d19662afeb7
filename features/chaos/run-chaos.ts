import { setTimeout as sleep } from 'node:timers/promises';
import { checkRecords, readRecords, type Kept } from '../src/guarantees.ts';
import type { Fault, Strike } from './faults/fault.ts';
import { processFaults } from './faults/process-faults.ts';
import { storeFaults } from './faults/store-faults.ts';
import { workerFaults } from './faults/worker-faults.ts';
import { Flow, type Met } from './flow.ts';
import { STEPS, ordersIn, type History } from './history.ts';
import { checkLeftovers } from './leftovers.ts';
import { Random } from './random.ts';
import { recoveriesOf, type Recovery } from './recovery.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { settled } from './settled.ts';
import type { ChaosWorld } from './world.ts';

/** Every fault that hits orders under way. */
export const FAULTS: readonly Fault[] = [...workerFaults, ...processFaults, ...storeFaults];

/** Injections of which at least this share must have hit work of their victim: else the run proves nothing. */
const LEAST_HIT = 0.9;

export interface ChaosOptions {
  seed: number;
  orders: number;
  /** Ids of faults and scenarios; all without. */
  only?: readonly string[] | undefined;
  /** Each fault is injected so many times. */
  repeats: number;
}

/** What a run came to. */
export interface ChaosReport {
  /** What became of the orders, read back from the history's file; absent without faults. */
  kept?: Kept & { attemptsAStep: number };
  faults: { id: string; title: string; injections: number; hits: number; work: number; of: string; seen: unknown[] }[];
  recoveries: Recovery[];
  met?: Met & { followed: number; broken: number };
  scenarios: { id: string; title: string; seen: string }[];
}

interface Injected extends Strike {
  id: string;
}

/**
 * One seeded run: orders flow in while one fault after the other is injected, in a random order, each when its victim has
 * work; then every order must have completed as it must, and nothing may be left over. Then the scenarios.
 *
 * @throws Error naming what does not hold
 */
export async function runChaos(world: ChaosWorld, options: ChaosOptions, history: History): Promise<ChaosReport> {
  const random = new Random(options.seed);
  const wanted = ({ id }: { id: string }): boolean => options.only?.includes(id) ?? true;
  history.write('run', { ...options, extent: world.extent });
  const faults = FAULTS.filter(wanted);
  const mixed = faults.length > 0 ? await runFaults(world, faults, { options, random, history }) : undefined;
  // Scenarios count on what the functions of a runner do.
  await world.httpWorker.halt();
  const scenarios: ChaosReport['scenarios'] = [];
  for (const group of SCENARIOS) {
    const seen = group.filter(wanted).map(async ({ id, title, run }) => {
      history.write('scenario', { id, title });
      const what = await run(world, new Random(options.seed)).catch((cause: unknown) => {
        throw new Error(`${id} (${title}): ${String(cause)}`, { cause });
      });
      history.write('seen', { id, seen: what });
      return { id, title, seen: what };
    });
    scenarios.push(...(await allOf(seen)));
  }
  await checkLeftovers(world);
  return { faults: [], recoveries: [], ...mixed, scenarios };
}

async function runFaults(
  world: ChaosWorld,
  faults: readonly Fault[],
  { options, random, history }: { options: ChaosOptions; random: Random; history: History },
): Promise<Omit<ChaosReport, 'scenarios'>> {
  const flow = new Flow(world.system.api, new Random(options.seed + 1));
  try {
    const injected = await injectAll(world, flow, { faults, options, random, history });
    const ids = [...flow.ids];
    await settled(world, ids);
    const records = await readRecords(world.store, world.ledger, ids);
    for (const order of records) history.write('order', { order });
    await history.flushed();
    const kept = verify(history.file);
    if (kept.orders !== ids.length) throw new Error(`the history tells of ${kept.orders} of ${ids.length} orders`);
    await checkPlacedOnce(world, flow);
    const followed = await flow.followers.check(world.store);
    checkHits(injected);
    return {
      kept,
      faults: faults.map((fault) => summaryOf(fault, injected)),
      recoveries: recoveriesOf(faults, injected, records),
      met: { ...flow.met, followed, broken: flow.followers.broken },
    };
  } finally {
    await flow.stop();
  }
}

async function injectAll(
  world: ChaosWorld,
  flow: Flow,
  run: { faults: readonly Fault[]; options: ChaosOptions; random: Random; history: History },
): Promise<Injected[]> {
  const { options, random, history } = run;
  const times = ({ full }: Fault): number => (world.extent.full ? (full ?? options.repeats) : options.repeats);
  const planned = random.shuffle(run.faults.flatMap((fault) => Array.from({ length: times(fault) }, () => fault)));
  const injected: Injected[] = [];
  for (const [at, fault] of planned.entries()) {
    flow.release(Math.round((options.orders * (at + 1)) / planned.length));
    await sleep(random.below(200));
    const { id, title } = fault;
    history.write('inject', { id, title });
    const strike = await fault.inject({ world, random, flow }).catch((cause: unknown) => {
      throw new Error(`${id} (${title}): ${String(cause)}`, { cause });
    });
    injected.push({ id, ...strike });
    history.write('healed', { id, ...strike, attempts: strike.attempts?.length ?? 0 });
    await flow.accepted();
  }
  return injected;
}

/**
 * Checks what a history's file tells of its orders: needs nothing but the file.
 *
 * @throws Error naming the first order that does not hold
 */
export function verify(file: string): Kept & { attemptsAStep: number } {
  const kept = checkRecords(ordersIn(file), STEPS);
  return { ...kept, attemptsAStep: 1 + kept.extraAttempts / Math.max(1, kept.steps) };
}

/** However often an order was asked for, it is there once. */
async function checkPlacedOnce({ store }: ChaosWorld, { mark, ids }: Flow): Promise<void> {
  const { rows } = await store.pool.query<{ id: string }>(`SELECT id FROM orders WHERE params->>'run' = $1`, [mark]);
  const known = new Set(ids);
  const extra = rows.filter(({ id }) => !known.has(id));
  if (extra.length > 0) throw new Error(`${extra.length} orders were placed twice: ${extra[0]?.id}`);
  if (rows.length !== ids.length)
    throw new Error(`${rows.length} orders are there of ${ids.length} that were accepted`);
}

function checkHits(injected: readonly Injected[]): void {
  const missed = injected.filter(({ hit }) => hit === 0).map(({ id }) => id);
  if (missed.length > injected.length * (1 - LEAST_HIT)) {
    throw new Error(`${missed.length} of ${injected.length} faults missed (${missed.join()}): the run proves nothing`);
  }
}

function summaryOf({ id, title }: Fault, injected: readonly Injected[]): ChaosReport['faults'][number] {
  const own = injected.filter((strike) => strike.id === id);
  const work = own.reduce((sum, { hit }) => sum + hit, 0);
  const seen = own.flatMap((strike) => strike.seen ?? []);
  return {
    id,
    title,
    injections: own.length,
    hits: own.filter(({ hit }) => hit > 0).length,
    work,
    of: own[0]?.of ?? '',
    seen,
  };
}

/** All of them, or the first error when all are over: none goes on behind the caller's back. */
async function allOf<T>(runs: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(runs);
  return Promise.all(runs);
}
