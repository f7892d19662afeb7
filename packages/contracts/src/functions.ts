import type { RetryCause } from './workflow.ts';

/** Timers of a function's jobs, in milliseconds; what is left out is as the system has it. */
export interface FunctionTimers {
  /** How long until a worker has accepted the job. */
  ackMs?: number;
  /** How long an accepted job may wait while its type has a free slot. */
  startMs?: number;
  /** How long a run may take; progress gives it as much again. */
  completeMs?: number;
  /** The longest run, whatever its progress. */
  capMs?: number;
}

/** How a function's jobs are tried again; what is left out is as the system has it. */
export interface FunctionRetry {
  /** New attempts after the first run failed. */
  max?: number;
  backoff?: 'fixed' | 'exponential';
  delayMs?: number;
  maxDelayMs?: number;
  jitter?: boolean;
  on?: RetryCause[];
  /** Workers that may be lost with a job in their hands before it is set aside as poison. */
  maxCrashes?: number;
}

/** What happens to jobs while no worker of the type lives: they wait (a day at most), or fail. */
export interface OfflinePolicy {
  policy: 'wait' | 'fail';
  limitMs?: number;
}

/** How a function wants its jobs to be treated; a step may say otherwise. */
export interface FunctionBehaviour {
  timers?: FunctionTimers;
  retry?: FunctionRetry;
  offline?: OfflinePolicy;
}

/** Who made a result, as far as it is known. */
export interface Producer {
  function: string;
  version?: string | undefined;
  type?: string | undefined;
  team?: string | undefined;
}

const MAX_FAULTS = 10;

/** The text of an `invalid_output`: whose result breaks its schema, and where. */
export function describeBreach({ function: name, version, type, team }: Producer, faults: readonly string[]): string {
  const of = [...(type === undefined ? [] : [`worker type ${type}`]), ...(team === undefined ? [] : [`team ${team}`])];
  const made = `${name}${version === undefined ? '' : ` ${version}`}${of.length > 0 ? ` (${of.join(', ')})` : ''}`;
  return `the result of ${made} breaks its outputSchema: ${faults.slice(0, MAX_FAULTS).join('; ')}`;
}
