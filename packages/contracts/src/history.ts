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
      /** ISO 8601; with `pending`: no new attempt before. */
      notBefore?: string;
    }
  /** A step that will not run: no job was made for it. `because` names the steps that kept it from running. */
  | { type: 'step'; step: string; state: 'blocked' | 'skipped'; because: string[] };

/** What became of a step: its job's state, or `blocked` when a step it needs failed. Steps that have not begun have none. */
export type StepState = JobState | 'blocked';
/** The steps of an order that have begun (or never will), by name. */
export type Progress = { [step: string]: StepState };
