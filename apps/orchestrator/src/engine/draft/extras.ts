import type { ClientId, Edge, JobId } from '@connecta/contracts';
import type { ChildOrder, EarlierJob, HeadWrite, JobMove, OtherJob, WaitEndRow } from '@connecta/store';

/**
 * What few of the orders of a batch need: most move from one plain step to the next. Making all of it for every order was a
 * sixth of the orchestrator's work, most of it the garbage collector's.
 */
export class Extras {
  readonly otherJobs: OtherJob[] = [];
  readonly waitEnds: WaitEndRow[] = [];
  readonly children: ChildOrder[] = [];
  readonly heads: HeadWrite[] = [];
  /** How many items of each step ended with this batch, and how many of them returned new ones. */
  readonly itemEnds = new Map<string, { done: number; failed: number; returned: number }>();
  /** Items whose new ones are in their list now. */
  readonly takenReturns: JobId[] = [];
  /** Steps whose heads a retry takes up again, together with their failed items. */
  readonly headsAgain = new Set<string>();
  readonly moves: JobMove[] = [];
  /** The edges that waits took which ended with this batch. */
  readonly outcomes = new Map<string, Edge>();
  /** Of an order that runs another one again: that one's completed jobs by step, as far as they were read. */
  readonly origins = new Map<string, EarlierJob | null>();
  /** What the result cache holds, as far as it was asked, and what it is to be asked for: how old it may be. */
  readonly cached = new Map<string, (EarlierJob & { ageMs: number }) | null>();
  readonly wantedCached = new Map<string, number>();
  /** Jobs that completed with this batch whose results the cache keeps. */
  readonly kept: { jobId: JobId; clientId: ClientId; ttlMs: number }[] = [];
  /** Jobs that completed with this batch by another version of their function than was pinned. */
  readonly ranOthers: { jobId: JobId; version: string }[] = [];
}

/** {@link Extras} for whoever only reads them. */
export type ReadonlyExtras = {
  readonly [Name in keyof Extras]: Extras[Name] extends (infer One)[]
    ? readonly One[]
    : Extras[Name] extends Map<infer Key, infer Value>
      ? ReadonlyMap<Key, Value>
      : Extras[Name] extends Set<infer One>
        ? ReadonlySet<One>
        : never;
};

/** Those of all ledgers that hold none. */
export const NO_EXTRAS: ReadonlyExtras = new Extras();
