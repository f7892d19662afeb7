import { parseDuration, type WorkflowForEach, type WorkflowTaskStep, type WorkflowWaitStep } from '@connecta/contracts';
import type { PlannedForEach, StepCore, TaskStep, WaitStep } from './plan.ts';
import type { CompiledStep } from './workflow.ts';

const DEFAULT_ITEMS_IN_FLIGHT = 100;

/** What a planned step takes over from its author's, whatever it does. */
export function coreOf({ step, needs, edges, fallbackFor }: CompiledStep): StepCore {
  const { if: condition, with: input, forEach, onError } = step;
  return {
    needs,
    ...(edges ? { edges } : {}),
    ...(condition === undefined ? {} : { if: condition }),
    ...(input === undefined ? {} : { with: input }),
    ...(forEach === undefined ? {} : { forEach: plannedForEach(forEach) }),
    ...(onError === undefined || onError === 'fail' ? {} : { onError }),
    ...(fallbackFor === undefined ? {} : { fallbackFor }),
  };
}

/** How long a result counts as the same, in the engine's terms. */
export function plannedCache({ ttl }: NonNullable<WorkflowTaskStep['cache']>): NonNullable<TaskStep['cache']> {
  return { ttlMs: parseDuration(ttl) as number };
}

/** What a step waits for, in the engine's terms. */
export function plannedWait({ wait }: WorkflowWaitStep): WaitStep['wait'] {
  const given = wait as Partial<Record<'role' | 'instructions' | 'timeout' | 'until' | 'after', string>>;
  const timeoutMs = msOf(given.timeout);
  const afterMs = msOf(given.after);
  return {
    for: wait.for,
    ...(wait.for === 'approval' ? { role: wait.role ?? 'operator' } : {}),
    ...(given.instructions === undefined ? {} : { instructions: given.instructions }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(given.until === undefined ? {} : { until: given.until }),
    ...(afterMs === undefined ? {} : { afterMs }),
  };
}

function plannedForEach(forEach: string | WorkflowForEach): PlannedForEach {
  const { items, key, related, max, onItemError }: WorkflowForEach =
    typeof forEach === 'string' ? { items: forEach } : forEach;
  return {
    items,
    ...(key === undefined ? {} : { key }),
    ...(related ? { related } : {}),
    max: max ?? DEFAULT_ITEMS_IN_FLIGHT,
    onItemError: onItemError ?? 'fail',
  };
}

/** The durations were checked when the workflow was. */
function msOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : (parseDuration(duration) as number);
}
