import {
  MAX_STEPS,
  NAME_PATTERN,
  parseTask,
  type Fault,
  type WorkflowDefinition,
  type WorkflowStep,
} from '@connecta/contracts';
import { findCycle, sortTopologically } from './graph.ts';

/** A workflow that holds together: names are legal, needs exist, no cycle, outputs known. */
export interface CompiledWorkflow {
  /** In topological order; `needs` is always there and free of repeats. */
  steps: { name: string; step: WorkflowStep & { needs: string[] } }[];
  outputs: string[];
}

export type CompileResult = { ok: true; workflow: CompiledWorkflow } | { ok: false; faults: Fault[] };

/** Checks a workflow (whose shape the JSON Schema has passed) and finds every fault at once, each with its JSON pointer. */
export function compileWorkflow(definition: WorkflowDefinition): CompileResult {
  const names = Object.keys(definition.steps);
  const faults: Fault[] = [
    ...faultsOfSize(names),
    ...names.flatMap((name) => faultsOfStep(name, definition)),
    ...faultsOfOutput(definition),
  ];
  const needs = new Map(names.map((name) => [name, [...new Set(definition.steps[name]?.needs ?? [])]]));
  const cycle = findCycle(needs);
  if (cycle) {
    faults.push({
      path: pointer('steps', cycle[0] as string, 'needs'),
      message: `these steps wait for each other: ${cycle.join(' → ')}`,
      code: 'cycle',
    });
  }
  if (faults.length > 0) return { ok: false, faults };
  const steps = sortTopologically(needs).map((name) => ({
    name,
    step: { ...(definition.steps[name] as WorkflowStep), needs: needs.get(name) as string[] },
  }));
  return { ok: true, workflow: { steps, outputs: definition.output ? [definition.output] : sinksOf(needs) } };
}

/**
 * The steps of a plain task list: a chain, each step named after its profile; a repeated name gets `-2`, `-3` …,
 * passing over names that are taken.
 */
export function chainOf(tasks: readonly string[]): WorkflowDefinition {
  const wanted = tasks.map((task) => parseTask(task)?.profileName ?? task);
  const taken = new Set<string>();
  const names = wanted.map((base) => {
    let name = base;
    for (let n = 2; taken.has(name) || (name !== base && wanted.includes(name)); n++) name = `${base}-${n}`;
    taken.add(name);
    return name;
  });
  const steps: WorkflowDefinition['steps'] = {};
  names.forEach((name, i) => {
    const before = names[i - 1];
    steps[name] = { uses: tasks[i] as string, ...(before === undefined ? {} : { needs: [before] }) };
  });
  return { steps };
}

function faultsOfSize(names: readonly string[]): Fault[] {
  if (names.length === 0) return [{ path: '/steps', message: 'a workflow needs at least one step' }];
  if (names.length > MAX_STEPS) return [{ path: '/steps', message: `more than ${MAX_STEPS} steps` }];
  return [];
}

function faultsOfStep(name: string, definition: WorkflowDefinition): Fault[] {
  const faults: Fault[] = [];
  const step = definition.steps[name] as WorkflowStep;
  if (!NAME_PATTERN.test(name)) {
    faults.push({
      path: pointer('steps', name),
      message: `'${name}' is not a name: lower-case letters, digits, '-' and '_'`,
    });
  }
  if ('uses' in step && !parseTask(step.uses)) {
    faults.push({
      path: pointer('steps', name, 'uses'),
      message: `'${step.uses}' is not a task: worker-type/profile-name`,
    });
  }
  (step.needs ?? []).forEach((need, i) => {
    if (Object.hasOwn(definition.steps, need)) return;
    faults.push({
      path: pointer('steps', name, 'needs', String(i)),
      message: `there is no step '${need}'`,
      code: 'unknown_step',
    });
  });
  return faults;
}

function faultsOfOutput({ output, steps }: WorkflowDefinition): Fault[] {
  if (output === undefined || Object.hasOwn(steps, output)) return [];
  return [{ path: '/output', message: `there is no step '${output}'`, code: 'unknown_step' }];
}

/** The steps that nothing needs, in the author's order. */
function sinksOf(needs: ReadonlyMap<string, readonly string[]>): string[] {
  const needed = new Set([...needs.values()].flat());
  return [...needs.keys()].filter((name) => !needed.has(name));
}

/** A JSON pointer (RFC 6901). */
function pointer(...parts: string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
