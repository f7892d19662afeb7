import type { BlobRef, JobId, JsonValue, OrderId } from '@connecta/contracts';
import { openBlobs } from '@connecta/blobs';
import { createLogger } from '@connecta/runtime';
import { findChildEnds, findDueBackoffs } from '@connecta/store';
import type { EngineParts } from '../src/engine/drafts.ts';
import { moveAttempts } from '../src/engine/move-attempts.ts';
import { recountHeads } from '../src/recover/recount-heads.ts';
import { ResolveStage } from '../src/resolve/resolve-stage.ts';
import { Values } from '../src/resolve/values.ts';
import { endWaits } from '../src/wait/end-waits.ts';
import type { Harness } from './harness.ts';

type Item = Awaited<ReturnType<Hands['itemsOf']>>[number];

/** The stages of one replica, done by hand. */
export class Hands {
  readonly parts: EngineParts;
  readonly #harness: Harness;
  readonly #values: Values;

  constructor(harness: Harness, parts: EngineParts) {
    this.parts = parts;
    this.#harness = harness;
    const { blobConnectionString: connectionString } = harness.services;
    this.#values = new Values(parts.store, () => openBlobs({ connectionString, container: harness.container }));
  }

  /** Sees to all that is to be done outside of transactions, and what follows from it; the attempts it sends out. */
  async resolve(orderId: OrderId): Promise<string[]> {
    const commands: string[] = [];
    const stage = new ResolveStage({
      parts: this.parts,
      values: this.#values,
      log: createLogger({ name: 'hands', level: 'fatal' }),
      follow: (outcome) => {
        for (const { job, attempt } of outcome.commands) commands.push(`${job.item} ${attempt}`);
        return Promise.resolve();
      },
    });
    for (let left = 20; left > 0; left--) {
      const work = await this.#harness.store.prisma.job.findMany({
        where: { orderId, state: 'waiting', work: { not: null } },
      });
      if (work.length === 0) break;
      stage.tell(work.map(({ id }) => id as JobId));
      await stage.tick();
    }
    return commands;
  }

  /** The items of an order's only list. */
  itemsOf(orderId: OrderId) {
    return this.#harness.store.prisma.job.findMany({
      where: { orderId, item: { gt: 0 } },
      orderBy: { item: 'asc' },
    });
  }

  /** What the timers do next for jobs that are due. */
  async due(only: (job: Pick<Item, 'item'>) => boolean = () => true): Promise<void> {
    const found = await findDueBackoffs(this.parts.store, 100);
    const jobs = await this.#harness.store.prisma.job.findMany({
      where: { id: { in: found.map(({ jobId }) => jobId as string) } },
    });
    const chosen = new Set(jobs.filter(only).map(({ id }) => id));
    await moveAttempts({
      parts: this.parts,
      found: found
        .filter(({ jobId }) => chosen.has(jobId))
        .map((attempt) => ({ ...attempt, finding: { kind: 'due' } as const })),
      random: () => 0,
    });
  }

  async endWaits(): Promise<void> {
    await endWaits(this.parts, await findChildEnds(this.parts.store, 100));
  }

  async recount(): Promise<void> {
    await recountHeads(this.parts);
  }

  /** A value as a blob of the harness's client. */
  async stored(value: JsonValue): Promise<BlobRef> {
    const owner = { clientId: this.#harness.clientId, jobId: crypto.randomUUID() as JobId, createdBy: 'tester' };
    return (await this.#values.stored(value, owner)) as unknown as BlobRef;
  }
}
