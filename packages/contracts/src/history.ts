import type { JobId } from './ids.ts';
import type { JobError } from './messages.ts';
import type { JobState, OrderState } from './states.ts';

/**
 * One event of an order's history: what became of the order, or of one of its jobs. An order's `version` is the number
 * of its events; replaying them from the first gives the states that the database holds.
 */
export type HistoryEvent =
  | { type: 'order'; state: OrderState; epoch: number; error?: JobError }
  | {
      type: 'job';
      step: string;
      item?: number;
      jobId: JobId;
      attempt: number;
      state: JobState;
      instance?: string;
      error?: JobError;
      /** ISO 8601; with `pending`: no new attempt before; with `waiting`: when the wait is over. */
      notBefore?: string;
      /** With `waiting`: for what. */
      waitsFor?: WaitsFor;
      /** The edge that the end of a wait took, and whose answer it was. */
      outcome?: string;
      by?: string;
      /** Of an item that is computed again: the keys of new items that it is related to, ten at most. */
      relatedTo?: string[];
      /** Of a job that completed without running: whose result it took over. */
      reusedFrom?: { orderId: string; jobId: string };
      cachedFrom?: { orderId: string; jobId: string };
    }
  /**
   * How far a list of items is, as numbers of items: a snapshot, so that replaying needs none before it. `created` have a
   * job, `done` have ended, `failed` of these in error.
   */
  | { type: 'items'; step: string; jobId: JobId; total: number; created: number; done: number; failed: number }
  /**
   * A step that will not run: no job was made for it. `because` names the steps that kept it from running; `reason` tells
   * what else did: its own condition, an edge that was not taken, that the step it stands in for did not fail. `pending`
   * takes such a verdict back: a retry decides on the step again.
   */
  | { type: 'step'; step: string; state: 'blocked' | 'skipped' | 'pending'; because: string[]; reason?: SkipReason };

/** What a waiting job waits for: an answer, a person, a time, another order, its items, or large values to be read. */
export type WaitsFor = 'callback' | 'approval' | 'time' | 'order' | 'items' | 'values';
export type SkipReason = 'condition' | 'edge' | 'fallback';

/** What became of a step: its job's state, or `blocked` when a step it needs failed. Steps that have not begun have none. */
export type StepState = JobState | 'blocked';
/** The steps of an order that have begun (or never will), by name. */
export type Progress = { [step: string]: StepState };
