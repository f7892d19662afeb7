/** Order states. `failed` goes back to `active` by a retry, under a new epoch; nothing leaves `cancelled`. */
export const ORDER_STATES = ['accepted', 'active', 'completed', 'failed', 'cancelled'] as const;
export type OrderState = (typeof ORDER_STATES)[number];

/**
 * Job states. `pending` waits for upstream steps or for its backoff; `invoked`: the command is committed and sent;
 * `queued`: the queue accepted it while its type has a live instance; `started`: a runner has it.
 */
export const JOB_STATES = [
  'pending',
  'invoked',
  'queued',
  'started',
  'waiting',
  'completed',
  'error',
  'skipped',
  'cancelled',
] as const;
export type JobState = (typeof JOB_STATES)[number];

/** States that a job never leaves within one epoch of its order. */
export const ENDED_JOB_STATES = ['completed', 'error', 'skipped', 'cancelled'] as const satisfies readonly JobState[];
export type EndedJobState = (typeof ENDED_JOB_STATES)[number];

/** States in which an attempt is on its way or running: a report of the current attempt is legal. */
export const OPEN_JOB_STATES = ['invoked', 'queued', 'started'] as const satisfies readonly JobState[];

/** Worker instance states; `lost`: no request for work and no heartbeat for three intervals. */
export const INSTANCE_STATES = ['ready', 'draining', 'gone', 'lost'] as const;
export type InstanceState = (typeof INSTANCE_STATES)[number];

export function isEnded(state: JobState): state is EndedJobState {
  return (ENDED_JOB_STATES as readonly JobState[]).includes(state);
}
