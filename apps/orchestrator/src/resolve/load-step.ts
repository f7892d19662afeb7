import type { JsonValue } from '@connecta/contracts';
import { Scope, inputOf, standInFor, type CompiledPlan, type PlannedStep, type StepView } from '@connecta/domain';
import { readStepFacts, type StepFact, type Store, type WorkJob } from '@connecta/store';
import type { EngineParts } from '../engine/drafts.ts';
import { neededBy } from '../engine/steps/needed.ts';
import type { Values } from './values.ts';

/** A step with all that its expressions look at, large values read. */
export interface LoadedStep {
  plan: CompiledPlan;
  step: PlannedStep;
  scope: Scope;
  defaultInput: () => JsonValue;
}

/** Reads what a step's beginning looks at. Null when its plan cannot be read. @throws UnreadableValueError */
export async function loadStep(parts: EngineParts, values: Values, job: WorkJob): Promise<LoadedStep | null> {
  const plan = (await parts.plans.load([job.planId])).get(job.planId);
  const step = plan?.steps.get(job.step);
  if (!plan || !step) return null;
  const needed = neededBy(step);
  const sourceOf = (name: string): string => standInFor(plan, name, job.progress);
  const facts = await factsOf(
    parts.store,
    job,
    new Set([...step.needs, ...needed.steps].flatMap((n) => [n, sourceOf(n)])),
  );
  const resultOf = (name: string): JsonValue | undefined => {
    const source = sourceOf(name);
    return job.progress[source] === 'completed' ? (facts.get(source)?.result ?? null) : undefined;
  };
  const steps: { [name: string]: StepView } = {};
  for (const name of needed.steps) {
    const result = resultOf(name);
    const content =
      result !== undefined && needed.content.steps.includes(name)
        ? await values.contentOf(result, job.clientId)
        : result;
    steps[name] = viewOf(job, facts.get(name), name, content);
  }
  const input = needed.content.input ? await values.contentOf(job.orderInput, job.clientId) : job.orderInput;
  return {
    ...{ plan, step },
    scope: new Scope({ input, params: job.params, steps }),
    defaultInput: () => inputOf(step, job.orderInput, resultOf),
  };
}

async function factsOf(store: Store, job: WorkJob, steps: ReadonlySet<string>): Promise<Map<string, StepFact>> {
  if (steps.size === 0) return new Map();
  return new Map((await readStepFacts(store, job.orderId, [...steps])).map((fact) => [fact.step, fact]));
}

function viewOf(job: WorkJob, fact: StepFact | undefined, name: string, result: JsonValue | undefined): StepView {
  return {
    state: job.progress[name] ?? 'pending',
    ...(result === undefined ? {} : { result }),
    ...(fact?.error ? { error: { ...fact.error } } : {}),
    ...(fact?.outcome ? { outcome: fact.outcome } : {}),
  };
}
