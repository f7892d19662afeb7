import type { JobId } from '@connecta/contracts';
import {
  cancelWithChildren,
  findChildEnds,
  findJobOrders,
  findOrphans,
  findWaitEnds,
  type Store,
} from '@connecta/store';
import type { EngineParts } from '../engine/drafts.ts';
import type { Outcome } from '../engine/outcome.ts';
import { endWaits } from './end-waits.ts';

export interface WaitStageOptions {
  parts: EngineParts;
  /** Sends what a committed batch leaves to do. */
  follow: (outcome: Outcome) => Promise<void>;
}

/** The most waits that end in one transaction. */
const LIMIT = 500;

/**
 * Ends waits. Of orders that end here it is told, and looks at nothing else; what nobody was told of (a crash, another
 * replica's order, an answer, a time) the sweeps find, which one replica runs.
 */
export class WaitStage {
  readonly #parts: EngineParts;
  readonly #follow: (outcome: Outcome) => Promise<void>;
  #told = new Set<JobId>();

  constructor({ parts, follow }: WaitStageOptions) {
    this.#parts = parts;
    this.#follow = follow;
  }

  /** Tells of jobs whose orders have ended. */
  tell(jobIds: readonly JobId[]): void {
    for (const id of jobIds) this.#told.add(id);
  }

  /** Ends what it was told of. Forgetting it on the way loses nothing: the sweep finds it. */
  async tick(): Promise<boolean> {
    const ids = [...this.#told].slice(0, LIMIT);
    if (ids.length === 0) return false;
    for (const id of ids) this.#told.delete(id);
    await this.#follow(await endWaits(this.#parts, await findJobOrders(this.#parts.store, ids)));
    return this.#told.size > 0;
  }

  /** Ends waits that were answered or whose time has come; true when there may be more. */
  async sweepAnswers(): Promise<boolean> {
    const found = await findWaitEnds(this.#parts.store, LIMIT);
    await this.#follow(await endWaits(this.#parts, found));
    return found.length >= LIMIT;
  }

  /** Ends waits for orders that nobody was told of, and cancels orders that nobody waits for any more. */
  async sweepOrders(): Promise<void> {
    const { store } = this.#parts;
    await this.#follow(await endWaits(this.#parts, await findChildEnds(store, LIMIT)));
    await cancelOrphans(store);
  }
}

async function cancelOrphans(store: Store): Promise<void> {
  for (const id of await findOrphans(store, LIMIT))
    await cancelWithChildren(store, id, 'the end of the order that it was for');
}
