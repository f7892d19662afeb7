import type { JsonValue } from '@connecta/contracts';
import { contextsOf, standInFor, type GivenContext, type PlannedStep, type TaskStep } from '@connecta/domain';
import type { TaskInput } from '../steps/new-job.ts';
import type { Ledger } from './ledger.ts';

/** Everything that a task's result may depend on. */
export function taskInputOf(ledger: Ledger, step: TaskStep, input: JsonValue): TaskInput {
  return { input, params: ledger.paramsOf(step), given: givenContext(ledger, step) };
}

/** The context that a step begins with. A step that returns none passes on what it was given. */
export function givenContext(ledger: Ledger, step: PlannedStep): GivenContext | null {
  const { order, plan, progress, facts } = ledger;
  return contextsOf(step.needs, order.context, (need) => facts.get(standInFor(plan, need, progress))?.context ?? null);
}
