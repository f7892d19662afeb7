import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessHandle } from '@connecta/embedded';
import type { Moment } from '../database-wire.ts';
import type { ChaosWorld } from '../world.ts';
import type { Fault, Injection, Strike } from './fault.ts';
import { openInHands, seek } from './hands.ts';

const UP_MS = 60_000;
const MOMENT_MS = 8000;
const LOOK_MS = 100;
/** Clients that ask while fe-api is killed. */
const ASKING = 5;
/** No session may stand idle in a transaction for longer. */
const IDLE_S = 5;

/** An orchestrator, by chance, and how its connections are told from those of others. */
function pickOrchestrator({ world, random }: Injection): {
  victim: ProcessHandle;
  of: (application: string) => boolean;
} {
  const victim = random.pick(world.processes('orchestrator'));
  const { pid } = victim;
  return { victim, of: (application) => application.endsWith(`-${pid}`) };
}

/** Kills an orchestrator in a moment of one of its transactions. */
async function killOrchestrator(injection: Injection, moment: Moment, what: string): Promise<Strike> {
  const { database } = injection.world;
  const { victim, of } = pickOrchestrator(injection);
  const strike = (): void => void victim.kill('SIGKILL');
  const isHit = await database.strike({ moment, of, strike }, MOMENT_MS);
  if (!isHit) strike();
  const atMs = Date.now();
  await victim.untilUp(UP_MS);
  return { hit: isHit ? 1 : 0, of: what, atMs };
}

/** Stops an orchestrator in an open transaction, and looks at what becomes of the session meanwhile. */
async function freezeOrchestrator(injection: Injection): Promise<Strike> {
  const { world } = injection;
  const { victim, of } = pickOrchestrator(injection);
  const strike = (): void => void victim.kill('SIGSTOP');
  const isHit = await world.database.strike({ moment: 'opened', of, strike }, MOMENT_MS);
  if (!isHit) strike();
  const atMs = Date.now();
  let longestIdleS = 0;
  try {
    while (Date.now() < atMs + world.extent.frozenMs) {
      longestIdleS = Math.max(longestIdleS, await longestIdle(world));
      await sleep(LOOK_MS);
    }
  } finally {
    victim.kill('SIGCONT');
  }
  if (longestIdleS > IDLE_S) throw new Error(`a session stood idle in a transaction for ${longestIdleS} s`);
  const hit = isHit && longestIdleS > 0 ? 1 : 0;
  return { hit, of: 'transactions that were left open', atMs, seen: { longestIdleS } };
}

async function longestIdle({ store }: ChaosWorld): Promise<number> {
  const { rows } = await store.pool.query<{ seconds: number }>(
    `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - state_change)), 0)::float8 AS seconds
     FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`,
  );
  return rows[0]?.seconds ?? 0;
}

/** Kills fe-api while clients wait for its answers and follow orders. */
async function killFrontGateway({ world, flow }: Injection): Promise<Strike> {
  const [victim] = world.processes('fe-api') as [ProcessHandle];
  const { followers } = flow;
  await flow.placeNow();
  await seek(() => Promise.resolve(followers.open > 0));
  const asked = Promise.all(Array.from({ length: ASKING }, () => flow.placeNow()));
  await seek(() => Promise.resolve(flow.pending > 0));
  const [hit, streams] = [flow.pending, followers.open];
  victim.kill('SIGKILL');
  const atMs = Date.now();
  await victim.untilUp(UP_MS);
  await asked;
  return { hit, of: 'requests on their way', atMs, seen: { streams } };
}

/** Kills be-api while workers hold what they claimed there. */
async function killBackGateway({ world }: Injection): Promise<Strike> {
  const [victim] = world.processes('be-api') as [ProcessHandle];
  const claims = await seek(() => claimed(world));
  victim.kill('SIGKILL');
  const atMs = Date.now();
  await victim.untilUp(UP_MS);
  return { hit: claims?.length ?? 0, of: 'claims over HTTP', atMs, attempts: claims ?? [] };
}

/**
 * Ends every runner and orchestrator in turn, as a new release does, the runners with steps in their hands: each ends what
 * it has before it goes.
 */
async function rollOver({ world }: Injection): Promise<Strike> {
  const [runners, orchestrators] = [world.processes('probe-runner'), world.processes('orchestrator')];
  const atMs = Date.now();
  let hit = 0;
  for (const [at, runner] of runners.entries()) {
    const { pid } = runner;
    hit += (await seek(async () => (await openInHands(world, pid)).length)) ?? 0;
    const both = [runner, orchestrators[at]].filter((each) => each !== undefined);
    for (const each of both) each.kill('SIGTERM');
    for (const each of both) await each.untilUp(UP_MS);
    const dropped = pid === undefined ? [] : await world.ledger.inHands(pid);
    if (dropped.length > 0) throw new Error(`a runner went with ${dropped.length} steps in its hands`);
  }
  return { hit, of: 'steps in the hands of runners that were told to stop', atMs };
}

async function claimed({ store }: ChaosWorld): Promise<{ jobId: string; attempt: number }[] | null> {
  const { rows } = await store.pool.query<{ jobId: string; attempt: number }>(
    `SELECT c.job_id AS "jobId", c.attempt FROM job_claims c JOIN jobs j ON j.id = c.job_id AND j.attempt = c.attempt
     WHERE c.ended_at IS NULL AND j.state IN ('invoked', 'queued', 'started')`,
  );
  return rows.length > 0 ? rows : null;
}

/** F2, F3, F9 and F21: what happens to the processes of the platform. */
export const processFaults: readonly Fault[] = [
  {
    ...{ id: 'F2', title: 'kill -9 of an orchestrator in a transaction', full: 50 },
    inject: (injection) => killOrchestrator(injection, 'opened', 'open transactions'),
  },
  {
    ...{ id: 'F2b', title: 'kill -9 of an orchestrator between its commit and what it then sends', full: 50 },
    inject: (injection) => killOrchestrator(injection, 'committed', 'commits it never heard of'),
  },
  { ...{ id: 'F3', title: 'kill -9 of fe-api', full: 50 }, inject: killFrontGateway },
  { ...{ id: 'F3b', title: 'kill -9 of be-api', full: 50 }, inject: killBackGateway },
  {
    ...{ id: 'F9', title: 'runners and orchestrators told to stop and started again in turn', full: 10 },
    inject: rollOver,
  },
  {
    ...{ id: 'F21', title: 'an orchestrator frozen in the middle of its transactions', full: 20 },
    inject: freezeOrchestrator,
  },
];
