import type { JobState, OrderState } from '@connecta/contracts';

/**
 * The legal moves of a job. Completion is legal from any open state of the current attempt: the events of two replicas
 * may cross, and a short job reports its start with its end. An open state goes back to `pending` (backoff) or
 * `invoked` under a new attempt. A job that waits for values becomes a command when they are at hand; a finished item of
 * a list, also one that was skipped or failed, is computed again when an item turns up that is related to it: under a new
 * attempt it becomes whatever an item may begin as. A job that takes over an earlier one's result completes without having
 * been anything else.
 */
const JOB_MOVES = {
  pending: ['invoked', 'waiting', 'completed', 'skipped', 'cancelled', 'error'],
  invoked: ['invoked', 'queued', 'started', 'completed', 'error', 'pending', 'cancelled'],
  queued: ['invoked', 'started', 'completed', 'error', 'pending', 'cancelled'],
  started: ['invoked', 'completed', 'error', 'pending', 'cancelled', 'waiting'],
  waiting: ['waiting', 'invoked', 'completed', 'error', 'skipped', 'cancelled'],
  completed: ['invoked', 'waiting', 'skipped', 'error'],
  error: ['pending', 'invoked', 'waiting', 'skipped', 'error'],
  skipped: ['invoked', 'waiting', 'skipped', 'error'],
  cancelled: [],
} as const satisfies Record<JobState, readonly JobState[]>;

/** The legal moves of an order; `failed → active` is a retry, under a new epoch. An order that cannot be run fails at once. */
const ORDER_MOVES = {
  accepted: ['active', 'failed', 'cancelled'],
  active: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: ['active'],
  cancelled: [],
} as const satisfies Record<OrderState, readonly OrderState[]>;

/** True when a job may go from one state to the other. */
export function jobMayMove(from: JobState, to: JobState): boolean {
  return (JOB_MOVES[from] as readonly JobState[]).includes(to);
}

/** True when an order may go from one state to the other. */
export function orderMayMove(from: OrderState, to: OrderState): boolean {
  return (ORDER_MOVES[from] as readonly OrderState[]).includes(to);
}
