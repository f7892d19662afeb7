import type { Progress, StepState } from '@connecta/contracts';
import { causesOfFailure } from './advance.ts';
import type { CompiledPlan, PlannedStep } from './plan.ts';

/** What taking up a failed order again redoes. */
export interface TakenUp {
  progress: Progress;
  /** Steps whose job failed and gets a new attempt. */
  again: string[];
  /** Steps that will be decided on once more: what a failure had blocked. */
  cleared: string[];
}

/**
 * What a retry of a failed order redoes: the steps whose failure counts and everything that they had blocked. An error
 * that the workflow deals with (`onError`) stays as it is while something else is why the order failed, for steps behind
 * it have run on its account. Null when there is nothing to redo.
 */
export function takeUp(plan: CompiledPlan, before: Progress): TakenUp | null {
  const causes = new Set(causesOfFailure(plan, before));
  const progress: Progress = { ...before };
  const again: string[] = [];
  const cleared = new Set<string>();
  for (const [name, step] of plan.steps) {
    if (before[name] === 'blocked') cleared.add(name);
    if (before[name] !== 'error' || (step.onError !== undefined && !causes.has(name))) continue;
    again.push(name);
    progress[name] = 'pending';
  }
  if (again.length === 0) return null;
  for (let grown = true; grown;) {
    const more = [...plan.steps].filter(
      ([name, step]) => !cleared.has(name) && wasSkippedFor(step, before[name], cleared),
    );
    for (const [name] of more) cleared.add(name);
    grown = more.length > 0;
  }
  const kept = Object.entries(progress).filter(([name]) => !cleared.has(name));
  return { progress: Object.fromEntries(kept), again, cleared: [...cleared] };
}

/** A stand-in for a step that never ran, and whatever was skipped because all that it needs was, for want of such a one. */
function wasSkippedFor(step: PlannedStep, state: StepState | undefined, cleared: ReadonlySet<string>): boolean {
  if (state !== 'skipped') return false;
  if (step.fallbackFor !== undefined) return cleared.has(step.fallbackFor);
  return step.needs.some((need) => cleared.has(need)) && step.edges === undefined;
}
