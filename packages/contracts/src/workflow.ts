import type { JsonValue } from './values.ts';

/** The source of a CEL expression. */
export type Cel = string;
/** A length of time as people write it: `90s`, `10m`, `2h`, `1d`, `250ms`, or several together: `1h30m`. */
export type Duration = string;
/** A CEL expression, or an object or list of templates: text leaves are CEL; numbers, booleans and null stand for themselves. */
export type Template = Cel | number | boolean | null | Template[] | { [name: string]: Template };

/** How a step that waits for a person (or for an answer) ended: other steps may need just one of these. */
export const EDGES = ['approve', 'reject', 'edit', 'timeout'] as const;
export type Edge = (typeof EDGES)[number];

/** What every step may say, whatever it does. */
export interface WorkflowStepBase {
  /** Steps that must end before: `step`, or `step:edge` of a step that waits. */
  needs?: string[];
  /** The step is skipped unless this is true; under `forEach` it decides for each item when it mentions `each`. */
  if?: Cel;
  /** The input; without it a root gets the order's, one need its result, several an object keyed by step. */
  with?: Template;
  forEach?: Cel | WorkflowForEach;
  /** What an error of this step means; without it: the error blocks whatever needs the step. */
  onError?: 'fail' | 'continue' | { fallback: string };
}

/** One job for each item of a list. */
export interface WorkflowForEach {
  items: Cel;
  /** Over `each`: what names an item; without it its index does. */
  key?: Cel;
  /** Over `each`: by relation, the list of the keys of related items. */
  related?: { [relation: string]: Cel };
  /** Items in flight at most. */
  max?: number;
  onItemError?: 'fail' | 'continue';
}

/** What ends a job for which a new attempt may follow. */
export const RETRY_CAUSES = ['retryable', 'timeout', 'lost'] as const;
export type RetryCause = (typeof RETRY_CAUSES)[number];

/** A step that a worker runs. */
export interface WorkflowTaskStep extends WorkflowStepBase {
  /** The task: `worker-type/profile-name`. */
  uses: string;
  params?: { [name: string]: JsonValue };
  timeouts?: { ack?: Duration; start?: Duration; complete?: Duration; cap?: Duration };
  /** `max`: new attempts after the first run failed. */
  retry?: {
    max?: number;
    backoff?: 'fixed' | 'exponential';
    delay?: Duration;
    maxDelay?: Duration;
    jitter?: boolean;
    on?: RetryCause[];
  };
  /** What happens while no worker of the type lives. */
  offline?: { policy: 'wait' | 'fail'; limit?: Duration };
  cache?: { ttl: Duration };
}

/** A step that is an order of its own. */
export interface WorkflowOrderStep extends WorkflowStepBase {
  /** A name, `name@version`, or the order parameter that says it: a name, a list of tasks, or `{steps, output}`. */
  workflow: string | { param: string; default?: string };
  params?: { [name: string]: Template };
}

/** A step that no worker runs: it waits. */
export interface WorkflowWaitStep extends WorkflowStepBase {
  wait:
    | { for: 'callback'; timeout?: Duration }
    | { for: 'approval'; role?: 'operator' | 'admin'; timeout?: Duration; instructions?: string }
    | { for: 'time'; until?: Cel; after?: Duration };
}

/** One step of a workflow as its author wrote it. */
export type WorkflowStep = WorkflowTaskStep | WorkflowOrderStep | WorkflowWaitStep;

/** A parameter that orders of a workflow may (or must) bring. */
export interface WorkflowParam {
  type?: 'string' | 'number' | 'boolean' | 'object' | 'array';
  default?: JsonValue;
  required?: boolean;
  description?: string;
}

/** A workflow as its author wrote it (schemas/workflow.schema.json). */
export interface WorkflowDefinition {
  name?: string;
  description?: string;
  /** Declared: then an order's params and every `params.x` are checked against them. */
  params?: { [name: string]: WorkflowParam };
  steps: { [step: string]: WorkflowStep };
  /** The step whose result is the order's result; without it, the only step that nothing needs. */
  output?: string;
  /** 0 to 10, 10 first; without it 5. */
  priority?: number;
  /** So many orders of one key run at once; the others stay accepted. `key`: over `input`, `params` and `client`. */
  concurrency?: { max: number; key?: Cel };
  /** Where input comes from, and where results go: kept as written. */
  routes?: { type: string; [more: string]: JsonValue }[];
  sinks?: { type: string; [more: string]: JsonValue }[];
}

/** How much an order may cost: a draft may be coarse. Travels as the reserved parameter `strategy`. */
export const STRATEGIES = ['draft', 'final'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** The pattern of names: worker types, profiles, workflows, steps. */
export const NAME_PATTERN = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;
/** The most steps that one workflow may have. */
export const MAX_STEPS = 1000;
export const DEFAULT_PRIORITY = 5;

/** Splits a task into worker type and profile name; null when it is not `type/name`. */
export function parseTask(task: string): { workerType: string; profileName: string } | null {
  const [workerType, profileName, ...rest] = task.split('/');
  if (!workerType || !profileName || rest.length > 0) return null;
  return { workerType, profileName };
}

/** Splits a need into the step and, of a step that waits, the edge: `review:approve`. */
export function parseNeed(need: string): { step: string; edge: string | undefined } {
  const colon = need.indexOf(':');
  return colon < 0 ? { step: need, edge: undefined } : { step: need.slice(0, colon), edge: need.slice(colon + 1) };
}
