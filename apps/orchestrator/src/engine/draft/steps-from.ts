import type { CompiledPlan } from '@connecta/domain';

/** A step and everything that follows from it. */
export function stepsFrom(plan: CompiledPlan, from: string): ReadonlySet<string> {
  const steps = new Set([from]);
  for (const step of steps) for (const next of plan.dependents.get(step) ?? []) steps.add(next);
  return steps;
}
