import {
  Problem,
  type Fault,
  type JsonValue,
  type PlanId,
  type Template,
  type WorkflowOrderStep,
} from '@connecta/contracts';
import type { Facts } from './facts.ts';
import { checkGiven } from './params.ts';
import type { PlanKey, Planned, PlanningOf, Plans } from './planning.ts';
import { WORKFLOW_REF, TASK_NAME } from './read-order-request.ts';
import { runnableOfSteps, runnableOfTasks, sha256, type Runnable } from './runnable.ts';

/** Workflows run workflows so deep at most. */
export const MAX_SUB_WORKFLOWS = 10;

/** What a step that is a workflow is pinned to. */
export interface SubPlan {
  planId: PlanId;
  /** What people see. */
  shown: string;
  /** Params that the step does not give and the workflow declares a default for, as templates. */
  params: { [name: string]: Template };
}

/** The plan of every step that is a workflow; a problem when one cannot be run; undefined when facts are missing. */
export function subPlansOf(
  { runnable, planning }: { runnable: Runnable; planning: PlanningOf },
  plans: Plans,
  facts: Facts,
): ReadonlyMap<string, SubPlan> | Problem | undefined {
  const found = new Map<string, SubPlan>();
  let complete = true;
  for (const { name, step } of runnable.compiled.steps) {
    if (!('workflow' in step)) continue;
    const given = givenBy(step, planning.params);
    const place = 'param' in given ? `/params/${given.param}` : runnable.placeOf(name);
    const inner = deeper(given.key, planning, place);
    const planned = inner instanceof Problem ? inner : plans.planOf(given.key as PlanKey, facts, inner);
    if (planned instanceof Problem) return placed(planned, place, given.isInline);
    if (planned === undefined) complete = false;
    else {
      const params = paramsOf(step, planned, place);
      if (params instanceof Problem) return params;
      found.set(name, { planId: planned.id, shown: planned.shown ?? given.shown, params });
    }
  }
  return complete ? found : undefined;
}

/** `isInline`: the steps or tasks themselves, in the order's params. */
type Given = { key: PlanKey | Problem; shown: string; isInline: boolean; param?: string };

/** What a step runs: as it says, or as the order's params say. */
function givenBy({ workflow }: WorkflowOrderStep, params: { [name: string]: JsonValue }): Given {
  if (typeof workflow === 'string')
    return { key: { key: `workflow ${workflow}`, make: { workflow } }, shown: workflow, isInline: false };
  const { param, default: otherwise } = workflow;
  const value = Object.hasOwn(params, param) ? params[param] : undefined;
  const key = keyOfValue(value ?? otherwise, param);
  const isInline = typeof value === 'object' && value !== null;
  return { key, shown: `params.${param}`, isInline, param };
}

function keyOfValue(value: JsonValue | undefined, param: string): PlanKey | Problem {
  if (typeof value === 'string' && WORKFLOW_REF.test(value)) {
    return { key: `workflow ${value}`, make: { workflow: value } };
  }
  if (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((task) => typeof task === 'string' && TASK_NAME.test(task))
  ) {
    const tasks = value as string[];
    return { key: sha256(`tasks ${tasks.join(' ')}`), make: () => runnableOfTasks(tasks) };
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && 'steps' in value) {
    const { steps, output, ...more } = value;
    if (Object.keys(more).length === 0 && (output === undefined || typeof output === 'string')) {
      return {
        key: sha256(JSON.stringify([steps, output])),
        make: () => runnableOfSteps({ steps: steps ?? null, output }),
      };
    }
  }
  const message =
    value === undefined
      ? 'is required: it says which workflow runs'
      : "must be a workflow's name, a list of tasks, or {steps, output}";
  return invalid(`/params/${param}`, message, 'invalid_input');
}

/** One level deeper, unless that is too deep or comes back to where it was. */
function deeper(key: PlanKey | Problem, planning: PlanningOf, place: string): PlanningOf | Problem {
  if (key instanceof Problem) return key;
  const { trail } = planning;
  const name = typeof key.make === 'object' ? (key.make.workflow.split('@')[0] as string) : '';
  if (name !== '' && trail.includes(name)) {
    const cycle = [...trail.slice(trail.indexOf(name)), name].join(' → ');
    return invalid(place, `these workflows run each other: ${cycle}`, 'invalid_workflow', 'cycle');
  }
  if (trail.length >= MAX_SUB_WORKFLOWS) {
    return invalid(place, `workflows run each other more than ${MAX_SUB_WORKFLOWS} deep`, 'invalid_workflow');
  }
  return { ...planning, trail: [...trail, name] };
}

/** What the step gives must be declared; what it does not give comes from the defaults. */
function paramsOf(step: WorkflowOrderStep, planned: Planned, place: string): { [name: string]: Template } | Problem {
  const declared = planned.definition.params;
  if (!declared) return {};
  const { params: given = {} } = step;
  const checked = checkGiven(declared, given);
  if (checked.faults.length > 0) {
    const faults = checked.faults.map((fault) => ({
      ...fault,
      path: place,
      message: `${fault.path.slice(1)}: ${fault.message}`,
    }));
    return new Problem('invalid_workflow', 'A step does not give its workflow the right params', { faults });
  }
  const defaults = Object.entries(checked.params).filter(([name]) => !Object.hasOwn(given, name));
  return Object.fromEntries(defaults.map(([name, value]) => [name, templateOf(value as JsonValue)]));
}

/** A template that comes to just this value: texts become CEL literals. */
function templateOf(value: JsonValue): Template {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(templateOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, templateOf(inner)]));
}

/** The problem of an inner workflow, told at the place of the outer one that led to it. */
function placed(problem: Problem, place: string, isInline: boolean): Problem {
  const faults = problem.faults.map((fault): Fault => {
    if (fault.path === place || (isInline && fault.path.startsWith('/params/'))) return fault;
    return { ...fault, path: isInline ? `${place}${fault.path.replace(/^\/tasks\b/, '')}` : place };
  });
  return new Problem(problem.code, problem.message, { faults });
}

function invalid(
  path: string,
  message: string,
  code: 'invalid_workflow' | 'invalid_input',
  faultCode?: string,
): Problem {
  return new Problem(code, `${path.slice(1)} ${message}`, {
    faults: [{ path, message, ...(faultCode === undefined ? {} : { code: faultCode }) }],
  });
}
