import { parseDuration, type Duration, type FunctionBehaviour, type WorkflowTaskStep } from '@connecta/contracts';
import type { TaskStep } from './plan.ts';

/** How a planned step's jobs are treated, as far as it differs from the system. */
export type StepBehaviour = Pick<TaskStep, 'timers' | 'retry' | 'offline'>;

/** What a step says, before what its function says; durations of a step were checked when it was compiled. */
export function behaviourOf(step: WorkflowTaskStep, own: FunctionBehaviour = {}): StepBehaviour {
  const timers = timersOf(step, own);
  const retry = retryOf(step, own);
  const offline = offlineOf(step, own);
  return {
    ...(isEmpty(timers) ? {} : { timers }),
    ...(isEmpty(retry) ? {} : { retry }),
    ...(offline ? { offline } : {}),
  };
}

function timersOf({ timeouts = {} }: WorkflowTaskStep, { timers = {} }: FunctionBehaviour): object {
  return given({
    ackMs: ms(timeouts.ack) ?? timers.ackMs,
    startMs: ms(timeouts.start) ?? timers.startMs,
    completeMs: ms(timeouts.complete) ?? timers.completeMs,
    completeCapMs: ms(timeouts.cap) ?? timers.capMs,
  });
}

function retryOf({ retry = {} }: WorkflowTaskStep, { retry: own = {} }: FunctionBehaviour): object {
  const max = retry.max ?? own.max;
  const backoff = retry.backoff ?? own.backoff;
  return given({
    maxFailed: max === undefined ? undefined : max + 1,
    maxCrashed: own.maxCrashes,
    backoffMs: ms(retry.delay) ?? own.delayMs,
    maxBackoffMs: ms(retry.maxDelay) ?? own.maxDelayMs,
    factor: backoff === undefined ? undefined : { fixed: 1, exponential: 2 }[backoff],
    jitter: retry.jitter ?? own.jitter,
    on: retry.on ?? own.on,
  });
}

function offlineOf({ offline }: WorkflowTaskStep, own: FunctionBehaviour): StepBehaviour['offline'] {
  if (!offline) return own.offline;
  const limitMs = ms(offline.limit);
  return { policy: offline.policy, ...(limitMs === undefined ? {} : { limitMs }) };
}

function ms(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : (parseDuration(duration) ?? undefined);
}

function given<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function isEmpty(values: object): boolean {
  return Object.keys(values).length === 0;
}
