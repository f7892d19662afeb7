import { Scope, standInFor, type PlannedStep, type StepView } from '@connecta/domain';
import { neededBy } from '../steps/needed.ts';
import type { Ledger } from './ledger.ts';

/** What the expressions of a step may look at, as far as it is at hand. */
export function scopeOf(ledger: Ledger, step: PlannedStep): Scope {
  const steps: { [name: string]: StepView } = {};
  for (const name of neededBy(step).steps) if (ledger.plan.steps.has(name)) steps[name] = viewOf(ledger, name);
  return new Scope({ input: ledger.input?.value, params: ledger.order.params, steps });
}

/** A step with its own state, error and edge, and with the result that counts: of a step that failed, its fallback's. */
function viewOf({ plan, progress, facts }: Ledger, name: string): StepView {
  const source = standInFor(plan, name, progress);
  const fact = facts.get(name);
  return {
    state: progress[name] ?? 'pending',
    ...(progress[source] === 'completed' ? { result: facts.get(source)?.result ?? null } : {}),
    ...(fact?.error ? { error: { ...fact.error } } : {}),
    ...(fact?.outcome ? { outcome: fact.outcome } : {}),
  };
}
