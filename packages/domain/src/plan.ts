import type { Cel, Edge, JsonValue, PlanId, ProfileId, Template } from '@connecta/contracts';
import type { RetryPolicy } from './retry.ts';
import type { Timers } from './timers.ts';

/** What every step of a plan has, whatever it does. */
export interface StepCore {
  /** Names of steps, without edges. */
  needs: string[];
  /** Of needs that are only met when the step took one of these edges. */
  edges?: { [need: string]: Edge[] };
  if?: Cel;
  with?: Template;
  forEach?: PlannedForEach;
  /** Absent: an error blocks whatever needs the step. */
  onError?: 'continue' | { fallback: string };
  /** The step whose error alone makes this one run. */
  fallbackFor?: string;
}

export interface PlannedForEach {
  items: Cel;
  key?: Cel;
  related?: { [relation: string]: Cel };
  /** Items in flight at most. */
  max: number;
  onItemError: 'fail' | 'continue';
}

/** A step that a worker runs: its task pinned to one revision of one profile. */
export interface TaskStep extends StepCore {
  kind: 'task';
  /** The task as the author wrote it, `worker-type/profile-name`: what people see. */
  uses: string;
  workerType: string;
  function: string;
  profileId: ProfileId;
  profileRevision: number;
  params?: { [name: string]: JsonValue };
  /** What differs from the defaults. */
  timers?: Partial<Timers>;
  retry?: Partial<RetryPolicy>;
  offline?: { policy: 'wait' | 'fail'; limitMs?: number };
  cache?: { ttlMs: number };
  functionVersion?: string;
  cacheable?: boolean;
}

/** A step that is an order of its own, pinned when the parent was planned. */
export interface OrderStep extends StepCore {
  kind: 'order';
  /** What people see: `name@version`, or the parameter that said it. */
  workflow: string;
  planId: PlanId;
  params?: { [name: string]: Template };
}

/** A step that waits for an answer, for a person, or for a time. */
export interface WaitStep extends StepCore {
  kind: 'wait';
  wait: {
    for: 'callback' | 'approval' | 'time';
    role?: 'operator' | 'admin';
    timeoutMs?: number;
    instructions?: string;
    until?: Cel;
    afterMs?: number;
  };
}

/** One step of a plan: the author's step with everything pinned that could change. */
export type PlannedStep = TaskStep | OrderStep | WaitStep;

/** What an order runs: stored once for all orders that mean the same (`plans.steps`). */
export interface Plan {
  /** In an order in which every step stands behind the steps it needs. */
  steps: { [step: string]: PlannedStep };
  /** The steps whose results make the order's result: one: its result; several: an object keyed by step. */
  outputs: string[];
}

/** A plan as it is stored: those of older versions have tasks only, without a kind. */
export interface StoredPlan {
  steps: { [step: string]: PlannedStep | Omit<TaskStep, 'kind'> };
  outputs: string[];
}

/** A plan with what the engine derives from it once. */
export interface CompiledPlan {
  steps: ReadonlyMap<string, PlannedStep>;
  outputs: readonly string[];
  roots: readonly string[];
  /** The steps that need a step, or what it stands in for, and its fallback: by its name. */
  dependents: ReadonlyMap<string, readonly string[]>;
}

/** A stored plan as plans are today: a step without a kind is a task. */
export function readPlan(stored: StoredPlan): Plan {
  const steps: Plan['steps'] = {};
  for (const [name, step] of Object.entries(stored.steps)) {
    steps[name] = 'kind' in step ? step : { kind: 'task', ...step };
  }
  return { steps, outputs: stored.outputs };
}

/** Derives a plan's roots and dependents. The plan was checked when it was made: see `compileWorkflow`. */
export function compilePlan(stored: StoredPlan): CompiledPlan {
  const plan = readPlan(stored);
  const steps = new Map(Object.entries(plan.steps));
  const dependents = new Map<string, string[]>([...steps.keys()].map((name) => [name, []]));
  for (const [name, step] of steps) {
    for (const need of step.needs) {
      // Whoever needs a step that failed waits for what stands in for it.
      for (const source of sourcesOf(steps, need)) dependents.get(source)?.push(name);
    }
    if (step.fallbackFor !== undefined) dependents.get(step.fallbackFor)?.push(name);
  }
  const roots = [...steps].filter(([, step]) => step.needs.length === 0 && step.fallbackFor === undefined);
  return { steps, outputs: plan.outputs, roots: roots.map(([name]) => name), dependents };
}

/** A step, its fallback, that one's, and so on. */
export function sourcesOf(steps: ReadonlyMap<string, PlannedStep>, step: string): string[] {
  const sources = new Set<string>();
  for (let at: string | undefined = step; at !== undefined && !sources.has(at);) {
    sources.add(at);
    const onError: StepCore['onError'] = steps.get(at)?.onError;
    at = typeof onError === 'object' ? onError.fallback : undefined;
  }
  return [...sources];
}
