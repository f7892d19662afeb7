import type { ProcessHandle } from '@connecta/embedded';
import type { Held } from '../../src/ledger.ts';
import { until } from '../../src/system.ts';
import type { Random } from '../random.ts';
import type { ChaosWorld } from '../world.ts';

/** How long a fault waits for a victim with work in its hands; beyond that it strikes and misses. */
const SEEK_MS = 8000;
const OPEN = ['invoked', 'queued', 'started'];

/** Asks until there is something to hit; undefined when there never is. */
export function seek<T>(ask: () => Promise<T | undefined | null | false>): Promise<T | undefined> {
  return until(ask, SEEK_MS).catch(() => undefined);
}

/** One of these processes, by chance, that has steps in its hands; any of them when none ever has. */
export async function pickBusy(
  world: ChaosWorld,
  random: Random,
  processes: readonly ProcessHandle[],
): Promise<ProcessHandle> {
  const shuffled = random.shuffle(processes);
  const busy = await seek(async () => {
    for (const each of shuffled) if ((await openInHands(world, each.pid)).length > 0) return each;
    return undefined;
  });
  return busy ?? (shuffled[0] as ProcessHandle);
}

/** What a process has in its hands, or had when it died, and has not told the end of. */
export async function openInHands(world: ChaosWorld, pid: number | undefined): Promise<Held[]> {
  const held = pid === undefined ? [] : await world.ledger.inHands(pid);
  if (held.length === 0) return [];
  const jobs = await world.store.prisma.job.findMany({ where: { id: { in: held.map(({ jobId }) => jobId) } } });
  const open = new Map(jobs.filter(({ state }) => OPEN.includes(state)).map(({ id, attempt }) => [id, attempt]));
  return held.filter(({ jobId, attempt }) => open.get(jobId) === attempt);
}

/** Resolves when jobs have completed after all. @throws Error naming one that has not in time */
export async function recovered(world: ChaosWorld, held: readonly Held[], withinMs: number): Promise<void> {
  const ids = [...new Set(held.map(({ jobId }) => jobId))];
  const unfinished = () =>
    world.store.prisma.job.findFirst({ where: { id: { in: ids }, state: { not: 'completed' } } });
  await until(async () => (await unfinished()) === null, withinMs).catch(async (cause: unknown) => {
    throw new Error(`not recovered within ${withinMs} ms: ${JSON.stringify(await unfinished())}`, { cause });
  });
}

/** It ended without a result, told to stop or refused a blob because others have its job: then it has nothing to tell. */
async function hasLeft({ ledger }: ChaosWorld, { jobId, attempt }: Held): Promise<boolean> {
  const entries = await ledger.entries();
  return entries.some((one) => one.word === 'left' && one.jobId === jobId && one.attempt === attempt);
}

/**
 * Resolves when each of these attempts, whose worker came back late, was the one that counts after all, ended without a
 * result, or was refused and stands with its order for everybody to see; gives how many were refused.
 *
 * @throws Error when one vanished, or none was refused
 */
export async function quarantined(world: ChaosWorld, held: readonly Held[]): Promise<number> {
  const { prisma } = world.store;
  const isAccepted = ({ jobId, attempt }: Held): Promise<number> =>
    prisma.job.count({ where: { id: jobId, attempt, state: 'completed' } });
  let refused = 0;
  for (const one of held) {
    const { jobId, attempt } = one;
    const report = await until(async () => {
      const late = await prisma.lateReport.findFirst({ where: { jobId, attempt } });
      return late ?? (((await isAccepted(one)) > 0 || (await hasLeft(world, one))) && 'none');
    }).catch(async (cause: unknown) => {
      const job = await prisma.job.findUnique({ where: { id: jobId } });
      const did = (await world.ledger.entries()).filter((entry) => entry.jobId === jobId);
      const known = JSON.stringify({ job, did });
      throw new Error(`the result of attempt ${attempt} of job ${jobId} vanished: ${known}`, { cause });
    });
    if (report === 'none') continue;
    const { body } = await world.system.api.send<{ items: { id: string; lateReports: { attempt: number }[] }[] }>(
      'GET',
      `/v1/orders/${report.orderId}/jobs`,
    );
    const seen = body.items.find(({ id }) => id === jobId)?.lateReports.some((late) => late.attempt === attempt);
    if (!seen) throw new Error(`the late result of attempt ${attempt} of job ${jobId} is not to be seen`);
    refused++;
  }
  if (held.length > 0 && refused === 0) throw new Error('no late result was refused: it came back in time');
  return refused;
}
