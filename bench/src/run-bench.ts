import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { RemoteClient } from './client/remote.ts';
import type { ClientPlan } from './client/protocol.ts';
import { Gateway } from './connecta/gateway.ts';
import { makeChain } from './connecta/profiles.ts';
import { startConnecta } from './connecta/start.ts';
import { startFloor } from './floor/start.ts';
import type { BenchOptions } from './options.ts';
import { runRound, warmUpBoth } from './rounds.ts';
import type { Contender, Round } from './rounds.ts';

const commandTimeoutMs = 300_000;

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
  const open: (() => Promise<void>)[] = [];
  const opened = async <Running extends { stop(): Promise<void> }>(start: Promise<Running>): Promise<Running> => {
    const running = await start;
    open.push(() => running.stop());
    stopping.throwIfAborted();
    return running;
  };
  const contender = async (system: Pick<Contender, 'groups'>, plan: ClientPlan): Promise<Contender> => ({
    client: await opened(RemoteClient.start(plan, { timeoutMs: commandTimeoutMs })),
    groups: () => system.groups(),
  });
  try {
    tell('Starting the floor and Connecta…');
    const floor = await opened(startFloor({ dataDir: join(dataDir, 'floor'), searchPath }));
    const profileDir = options.profileDir === undefined ? undefined : resolve(options.profileDir);
    if (profileDir !== undefined) mkdirSync(profileDir, { recursive: true });
    const connecta = await opened(
      startConnecta({ dataDir: join(dataDir, 'connecta'), searchPath, profileDir, log: reportDeaths(tell) }),
    );
    const { url, key } = connecta;
    const tasks = await tasksOf({ url, key });
    const contenders = {
      floor: await contender(floor, { kind: 'floor', redisUrl: floor.redisUrl }),
      connecta: await contender(connecta, { kind: 'connecta', url, key, tasks }),
    };
    tell('Warming up…');
    await warmUpBoth(contenders, options);
    const rounds: Round[] = [];
    for (let round = 0; round < options.rounds; round += 1) {
      stopping.throwIfAborted();
      rounds.push(await runRound(contenders, options, round));
      tell(`Round ${round + 1} of ${options.rounds}: ${brief(rounds.at(-1))}`);
    }
    return rounds;
  } finally {
    for (const stop of open.reverse()) await stop();
  }
}

async function tasksOf(address: { url: string; key: string }): Promise<readonly string[]> {
  const gateway = new Gateway({ ...address, connections: 1 });
  try {
    return await makeChain(gateway);
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
  const rate = ({ orders, ms }: { orders: number; ms: number }): string => `${((orders / ms) * 1_000).toFixed(0)}/s`;
  const { floor, connecta } = round;
  return `floor ${rate(floor.batch)}, Connecta ${rate(connecta.batch)}, single requests ${rate(connecta.singles)}`;
}
