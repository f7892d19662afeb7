import type { Progress } from '@connecta/contracts';
import { causesOfFailure } from './advance.ts';
import { untakenNeeds, withAnswers, type Outcomes } from './needs.ts';
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
 * it have run on its account. What the end of a wait ruled out (`outcomes`: the edges that waits took) stays ruled out: a
 * rejection holds whatever is retried around it. Null when there is nothing to redo.
 */
export function takeUp(plan: CompiledPlan, before: Progress, outcomes: Outcomes): TakenUp | null {
  const causes = new Set(causesOfFailure(plan, before));
  const progress: Progress = { ...before };
  const again: string[] = [];
  const cleared = new Set<string>();
  const ways = withAnswers(plan, outcomes, { steps: plan.steps.keys(), progress: before });
  for (const [name, step] of plan.steps) {
    if (before[name] === 'blocked') cleared.add(name);
    if (before[name] !== 'error' || (step.onError !== undefined && !causes.has(name))) continue;
    again.push(name);
    progress[name] = 'pending';
  }
  if (again.length === 0) return null;
  for (let grown = true; grown;) {
    const more = [...plan.steps].filter(
      ([name, step]) =>
        !cleared.has(name) &&
        before[name] === 'skipped' &&
        untakenNeeds(step, ways).length === 0 &&
        wasSkippedFor(step, cleared),
    );
    for (const [name] of more) cleared.add(name);
    grown = more.length > 0;
  }
  const kept = Object.entries(progress).filter(([name]) => !cleared.has(name));
  return { progress: Object.fromEntries(kept), again, cleared: [...cleared] };
}

/** A stand-in for a step that never ran, and whatever was skipped because all that it needs was, for want of such a one. */
function wasSkippedFor({ fallbackFor, needs }: PlannedStep, cleared: ReadonlySet<string>): boolean {
  return fallbackFor === undefined ? needs.some((need) => cleared.has(need)) : cleared.has(fallbackFor);
}
