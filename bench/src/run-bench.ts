import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { contenderOf } from './contender.ts';
import type { Throughput } from './contender.ts';
import { Gateway } from './connecta/gateway.ts';
import { makeChain } from './connecta/profiles.ts';
import { startConnecta } from './connecta/start.ts';
import { startFloor } from './floor/start.ts';
import { Opened } from './opened.ts';
import type { BenchOptions } from './options.ts';
import { runRound, warmUpOne, warmUpSingles } from './rounds.ts';
import type { Round } from './rounds.ts';
import { rateOf } from './summary.ts';

/** Where a run keeps its stores and how it tells how far it is. */
export interface BenchSurroundings {
  readonly dataDir: string;
  readonly searchPath: string;
  /** A line for a person who waits. */
  readonly tell: (line: string) => void;
  readonly stopping: AbortSignal;
}

/** Starts both systems side by side, measures them in turn, and ends everything however the run goes. */
export async function runBench(options: BenchOptions, surroundings: BenchSurroundings): Promise<readonly Round[]> {
  const { dataDir, searchPath, tell, stopping } = surroundings;
  const opened = new Opened(stopping);
  try {
    tell('Starting the floor and Connecta…');
    const floor = await opened.add(startFloor({ dataDir: join(dataDir, 'floor'), searchPath }));
    const connecta = await opened.add(startOne('connecta', options, surroundings));
    const { url, key } = connecta;
    const tasks = await throughGateway(connecta, makeChain);
    const contenders = {
      floor: await contenderOf(floor, { kind: 'floor', redisUrl: floor.redisUrl }, opened),
      connecta: await contenderOf(connecta, { kind: 'connecta', url, key, tasks }, opened),
    };
    tell('Warming up…');
    await warmUpOne(contenders.floor);
    await warmUpOne(contenders.connecta);
    await warmUpSingles(contenders.connecta, options);
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      stopping.throwIfAborted();
      rounds.push(await runRound(contenders, options, round));
      tell(`Round ${round + 1} of ${options.rounds}: ${brief(rounds.at(-1))}`);
    }
    return rounds;
  } finally {
    await opened.stop();
  }
}

/** Starts Connecta on stores of its own in that folder. */
export function startOne(
  folder: string,
  { profileDir }: BenchOptions,
  { dataDir, searchPath, tell }: BenchSurroundings,
): ReturnType<typeof startConnecta> {
  const profiles = profileDir === undefined ? undefined : resolve(profileDir);
  if (profiles !== undefined) mkdirSync(profiles, { recursive: true });
  const log = reportDeaths(tell);
  return startConnecta({ dataDir: join(dataDir, folder), searchPath, profileDir: profiles, log });
}

/** Sets something up as an operator would. */
export async function throughGateway<Made>(
  address: { url: string; key: string },
  make: (gateway: Gateway) => Promise<Made>,
): Promise<Made> {
  const gateway = new Gateway({ ...address, connections: 1 });
  try {
    return await make(gateway);
  } finally {
    await gateway.close();
  }
}

function reportDeaths(tell: (line: string) => void) {
  return ({ process: name, event, detail = '' }: { process: string; event: string; detail?: string }): void => {
    if (event === 'died' || event === 'failed') tell(`! ${name} ${event}: ${detail}`);
  };
}

function brief(round: Round | undefined): string {
  if (!round) return '';
  const rate = (run: Throughput): string => `${rateOf(run).toFixed(0)}/s`;
  const { floor, connecta } = round;
  return `floor ${rate(floor.batch)}, Connecta ${rate(connecta.batch)}, single requests ${rate(connecta.singles)}`;
}
