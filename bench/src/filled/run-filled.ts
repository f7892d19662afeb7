import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyFinishedOrder } from '@connecta/store';
import { makeChain } from '../connecta/profiles.ts';
import { contenderOf } from '../contender.ts';
import type { Contender } from '../contender.ts';
import { Opened } from '../opened.ts';
import type { BenchOptions } from '../options.ts';
import type { PairTitles } from '../pair-report.ts';
import { measurePair } from '../pairs.ts';
import type { PairRound } from '../pairs.ts';
import { warmUpOne, warmUpSingles } from '../rounds.ts';
import { startOne, throughGateway } from '../run-bench.ts';
import type { BenchSurroundings } from '../run-bench.ts';

const folders = { small: 'empty', large: 'filled' } as const;
/** A line for a person who waits, every so many orders. */
const tellEvery = 100_000;

/** How the figures are told. */
export function filledTitles(orders: number): Readonly<Record<'batch' | 'singles', PairTitles>> {
  const common = { unit: 'order', cpuAtMost: 1.1, throughputAtLeast: 0.9 } as const;
  const titled = (how: string): PairTitles => ({
    ...common,
    small: `empty database, ${how}`,
    large: `${orders} finished orders, ${how}`,
  });
  return { batch: titled('batches of 1,000'), singles: titled('one order a request') };
}

/**
 * Starts Connecta twice on databases of their own, fills one of them with finished orders, and measures both in turn. The
 * databases are new for each run and are removed after it.
 */
export async function runFilled(
  options: BenchOptions,
  orders: number,
  surroundings: BenchSurroundings,
): Promise<readonly PairRound[]> {
  const { dataDir, tell, stopping } = surroundings;
  const remove = (): void => {
    for (const folder of Object.values(folders)) rmSync(join(dataDir, folder), { recursive: true, force: true });
  };
  remove();
  const opened = new Opened(stopping);
  try {
    tell('Starting Connecta twice…');
    const start = async (folder: string): Promise<Contender & { databaseUrl: string }> => {
      const connecta = await opened.add(startOne(folder, options, surroundings));
      const { url, key, databaseUrl } = connecta;
      const tasks = await throughGateway(connecta, makeChain);
      return { ...(await contenderOf(connecta, { kind: 'connecta', url, key, tasks }, opened)), databaseUrl };
    };
    const [small, large] = [await start(folders.small), await start(folders.large)];
    await warmUp([small, large], options, tell);
    await fill(large.databaseUrl, orders, surroundings);
    // What is kept of the tables' sizes in plans and connections is as old on both sides.
    await warmUp([small, large], options, tell);
    const rounds: PairRound[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      stopping.throwIfAborted();
      rounds.push(await measureRound({ small, large }, options, round));
      tell(`Round ${round + 1} of ${options.rounds}`);
    }
    return rounds;
  } finally {
    await opened.stop();
    remove();
  }
}

async function measureRound(
  { small, large }: { small: Contender; large: Contender },
  options: BenchOptions,
  round: number,
): Promise<PairRound> {
  const batch = { orders: options.orders, how: { do: 'batch' } } as const;
  const singles = { orders: options.singles, how: { do: 'singles', inFlight: options.inFlight } } as const;
  const sides = <How>(how: How) => ({ small: { contender: small, ...how }, large: { contender: large, ...how } });
  return {
    batch: await measurePair(sides(batch), round),
    singles: await measurePair(sides(singles), round),
  };
}

async function warmUp(
  systems: readonly Contender[],
  options: BenchOptions,
  tell: (line: string) => void,
): Promise<void> {
  tell('Warming up…');
  for (const system of systems) {
    await warmUpOne(system);
    await warmUpSingles(system, options);
  }
}

async function fill(
  databaseUrl: string,
  orders: number,
  { tell, stopping }: Pick<BenchSurroundings, 'tell' | 'stopping'>,
): Promise<void> {
  const startedAt = performance.now();
  const seconds = (): string => ((performance.now() - startedAt) / 1_000).toFixed(0);
  await copyFinishedOrder(databaseUrl, {
    copies: orders,
    onProgress: (copied) => {
      stopping.throwIfAborted();
      if (copied % tellEvery === 0 || copied === orders) tell(`${copied} finished orders after ${seconds()} s`);
    },
  });
  tell(`Vacuumed and analysed after ${seconds()} s`);
}
