import type { JsonValue, PlanId, Problem, WorkflowDefinition } from '@connecta/contracts';
import type { Facts } from './facts.ts';
import type { Runnable } from './runnable.ts';

/** What a request runs, by the words it says it in: requests of one key share one plan. */
export type PlanKey = { key: string; make: (() => Runnable | Problem) | { workflow: string } };

/** A plan with what an order of it must know of its workflow. */
export interface Planned {
  id: PlanId;
  definition: WorkflowDefinition;
  /** `name@version` of a named workflow. */
  shown: string | undefined;
}

/** What a plan depends on beside the workflow: the order's params, and the workflows that lead to it. */
export interface PlanningOf {
  params: { [name: string]: JsonValue };
  trail: readonly string[];
}

/** Finds plans: what the plan of a workflow asks for the workflows inside of it. */
export interface Plans {
  /** The plan, a problem, or undefined when facts are missing. */
  planOf(key: PlanKey, facts: Facts, planning: PlanningOf): Planned | Problem | undefined;
}
