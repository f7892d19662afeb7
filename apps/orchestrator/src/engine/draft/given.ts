import type { BlobRef, JsonValue } from '@connecta/contracts';
import { standInFor, type GivenContext, type PlannedStep, type TaskStep } from '@connecta/domain';
import type { TaskInput } from '../steps/newJob.ts';
import type { Ledger } from './ledger.ts';

/** Everything that a task's result may depend on. */
export function taskInputOf(ledger: Ledger, step: TaskStep, input: JsonValue): TaskInput {
  return { input, params: ledger.paramsOf(step), given: givenContext(ledger, step) };
}

/**
 * The context that a step begins with: a root the order's, any other those of the steps that it needs. A step that returns
 * none passes on what it was given. What several needs have is keyed by need, and is the context as well where it is one
 * and the same blob.
 */
function givenContext(ledger: Ledger, step: PlannedStep): GivenContext | null {
  const { order, plan, progress, facts } = ledger;
  if (step.needs.length === 0) return order.context ? { context: order.context } : null;
  const contexts: { [need: string]: BlobRef } = {};
  const ids = new Set<string>();
  let last: BlobRef | undefined;
  for (const need of step.needs) {
    const context = facts.get(standInFor(plan, need, progress))?.context;
    if (!context) continue;
    contexts[need] = context;
    ids.add(context.blobId);
    last = context;
  }
  if (!last) return null;
  if (step.needs.length === 1) return { context: last };
  return ids.size === 1 ? { context: last, contexts } : { contexts };
}
