import type { JsonValue, ProfileId } from '@connecta/contracts';

/** One step of a plan: the author's step with its task pinned to one revision of one profile. */
export interface PlannedStep {
  /** The task as the author wrote it, `worker-type/profile-name`: what people see. */
  uses: string;
  workerType: string;
  function: string;
  profileId: ProfileId;
  profileRevision: number;
  needs: string[];
  params?: { [name: string]: JsonValue };
}

/** What an order runs: stored once for all orders that mean the same (`plans.steps`). */
export interface Plan {
  /** In an order in which every step stands behind the steps it needs. */
  steps: { [step: string]: PlannedStep };
  /** The steps whose results make the order's result: one: its result; several: an object keyed by step. */
  outputs: string[];
}

/** A plan with what the engine derives from it once. */
export interface CompiledPlan {
  steps: ReadonlyMap<string, PlannedStep>;
  outputs: readonly string[];
  roots: readonly string[];
  /** The steps that need a step, by its name. */
  dependents: ReadonlyMap<string, readonly string[]>;
}

/** Derives a plan's roots and dependents. The plan was checked when it was made: see `compileWorkflow`. */
export function compilePlan(plan: Plan): CompiledPlan {
  const steps = new Map(Object.entries(plan.steps));
  const dependents = new Map<string, string[]>([...steps.keys()].map((name) => [name, []]));
  for (const [name, step] of steps) for (const need of step.needs) dependents.get(need)?.push(name);
  const roots = [...steps].filter(([, step]) => step.needs.length === 0).map(([name]) => name);
  return { steps, outputs: plan.outputs, roots, dependents };
}
