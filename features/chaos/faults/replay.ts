import { deliveryId, signLease, type JobId, type OrderId, type ProfileId } from '@connecta/contracts';
import type { Delivery } from '@connecta/queue';
import type { LedgerEntry } from '../../src/ledger.ts';
import { until } from '../../src/system.ts';
import type { ChaosWorld } from '../world.ts';
import type { Strike } from './fault.ts';
import { seek } from './hands.ts';

const OPEN = ['invoked', 'queued', 'started'];
const TIMES = 3;
const LEASE_MS = 600_000;
const DRAINED_MS = 120_000;
/** Added to what a delivery that is over was given, so that its result is told from the one that counts. */
const OTHER = 1_000_000;

type JobRow = Awaited<ReturnType<ChaosWorld['store']['prisma']['job']['findMany']>>[number];

/**
 * F16: every delivery under way is made three times over, in packs, so that the queue cannot know them again; and so are
 * deliveries of jobs that are over, with valid leases and another input. What of these ran to its end must have been
 * refused.
 */
export async function repeatDeliveries(world: ChaosWorld): Promise<Strike> {
  const { prisma } = world.store;
  const open = await seek(async () => {
    const jobs = await prisma.job.findMany({ where: { state: { in: OPEN }, workerType: 'probe' } });
    return jobs.length > 0 && jobs;
  });
  const atMs = Date.now();
  const over = await prisma.job.findMany({
    where: { state: 'completed', function: 'probe.work' },
    ...{ orderBy: { finishedAt: 'desc' }, take: world.extent.replayed },
  });
  const deliveries = [
    ...(open ?? []).map((job) => deliveryOf(world, job, 0)),
    ...over.map((job) => deliveryOf(world, job, OTHER)),
  ];
  const before = (await world.ledger.entries()).length;
  for (let time = 0; time < TIMES; time++) {
    // In another order the same deliveries travel in other packs.
    const turned = [...deliveries.slice(time), ...deliveries.slice(0, time)];
    await world.queue.jobs.enqueue(new Map([['probe', turned]]));
  }
  const sent = new Set<string>(deliveries.map(({ id }) => id));
  await until(async () => !(await isUnderWay(world, sent)), DRAINED_MS);
  const since = (await world.ledger.entries()).slice(before);
  const again = since.filter(({ word }) => word === 'again');
  const ranAgain = ranWithOtherInput(since);
  const refused = await refusalsOf(world, [...ranAgain]);
  return {
    ...{ hit: open?.length ?? 0, of: 'deliveries under way', atMs },
    seen: { sent: TIMES * deliveries.length, effectsRefused: again.length, ranAgain: ranAgain.size, refused },
  };
}

/**
 * Whether one of these deliveries waits, or is run by a worker that lives. What a killed worker had taken stays locked in
 * the queue until its lock runs out, and nobody runs it: that is looked at when everything is over.
 */
async function isUnderWay(world: ChaosWorld, sent: ReadonlySet<string>): Promise<boolean> {
  const { waiting } = await world.queue.jobs.ids('probe');
  if (waiting.some((id) => sent.has(id))) return true;
  for (const { pid } of world.processes('probe-runner')) {
    const held = pid === undefined ? [] : await world.ledger.inHands(pid);
    if (held.some(({ jobId, attempt }) => sent.has(deliveryId(jobId as JobId, attempt)))) return true;
  }
  return false;
}

/**
 * Jobs of which a delivery that was over ran to its end: one that was told meanwhile that it no longer counts, or refused
 * its blob for that, has no result. What an earlier fault had delivered twice came with the input that counts: it says the
 * same again, which is no late result.
 */
function ranWithOtherInput(entries: readonly LedgerEntry[]): Set<string> {
  const keyOf = ({ jobId, pid }: LedgerEntry): string => `${jobId} ${pid}`;
  const done = new Set(entries.filter(({ word }) => word === 'done').map(keyOf));
  const again = entries.filter(({ word, value = 0 }) => word === 'again' && value > OTHER);
  return new Set(again.filter((entry) => done.has(keyOf(entry))).map(({ jobId }) => jobId));
}

/** Resolves with the number of refused results when each of these jobs has one. @throws Error when one has none */
async function refusalsOf({ store, ledger }: ChaosWorld, ids: string[]): Promise<number> {
  const where = { jobId: { in: ids } };
  const unrefused = async (): Promise<string[]> => {
    const refused = await store.prisma.lateReport.groupBy({ by: ['jobId'], where });
    const known = new Set(refused.map(({ jobId }) => jobId));
    return ids.filter((id) => !known.has(id));
  };
  await until(async () => (await unrefused()).length === 0).catch(async (cause: unknown) => {
    const left = await unrefused();
    const did = (await ledger.entries()).filter(({ jobId }) => jobId === left[0]);
    const known = `${left.length} of ${ids.length}, the first of which did ${JSON.stringify(did)}`;
    throw new Error(`a result of a delivery that was over was not refused: ${known}`, { cause });
  });
  return store.prisma.lateReport.count({ where });
}

function deliveryOf(world: ChaosWorld, job: JobRow, more: number): Delivery {
  const [jobId, orderId] = [job.id as JobId, job.orderId as OrderId];
  const { attempt, workerType } = job;
  const lease = { orderId, jobId, attempt, workerType: workerType ?? '', expiresAtMs: Date.now() + LEASE_MS };
  return {
    id: deliveryId(jobId, attempt),
    name: job.function ?? '',
    data: {
      value: Number(job.input) + more,
      profileId: job.profileId as ProfileId,
      profileRevision: job.profileRevision ?? 1,
      lease: signLease(world.leaseKey(), lease),
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    },
  };
}
