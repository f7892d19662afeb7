import type { Cel } from '@connecta/contracts';
import { referencesIn } from '../expressions/evaluate.ts';
import type { PlannedStep, StepCore } from '../plan.ts';

/** The `if` of a step with items that says nothing of them: it decides on the step, before there is a list. */
export function guardOf({ if: condition, forEach }: Pick<StepCore, 'if' | 'forEach'>): Cel | undefined {
  if (condition === undefined || !forEach) return undefined;
  return referencesIn(condition).some(({ root }) => root === 'each') ? undefined : condition;
}

/** The step as it is for each of its items: what decided on all of them is not asked again. */
export function stepOfItem<Step extends PlannedStep>(step: Step): Step {
  if (guardOf(step) === undefined) return step;
  const { if: _, ...unguarded } = step;
  return unguarded as Step;
}
