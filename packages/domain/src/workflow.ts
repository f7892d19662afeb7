import { parseTask, type Edge, type Fault, type WorkflowDefinition, type WorkflowStep } from '@connecta/contracts';
import { faultsOfExpressions } from './checks/faults-of-expressions.ts';
import { faultsOfNeeds } from './checks/faults-of-needs.ts';
import { faultsOfStep } from './checks/faults-of-step.ts';
import { faultsOfWhole } from './checks/faults-of-whole.ts';
import { sortTopologically } from './graph.ts';
import { stepGraph } from './step-graph.ts';

/** A step of a workflow that holds together. */
export interface CompiledStep {
  name: string;
  /** As its author wrote it. */
  step: WorkflowStep;
  /** Each once, without edges. */
  needs: string[];
  edges?: { [need: string]: Edge[] };
  /** The step whose fallback this is. */
  fallbackFor?: string;
}

/** A workflow that holds together: names are legal, needs exist, no cycle, outputs known, expressions see what they name. */
export interface CompiledWorkflow {
  definition: WorkflowDefinition;
  /** In topological order. */
  steps: CompiledStep[];
  outputs: string[];
}

export type CompileResult = { ok: true; workflow: CompiledWorkflow } | { ok: false; faults: Fault[] };

/** A message lists so many faults at most. */
const MAX_FAULTS = 200;

/** Checks a workflow (whose shape the JSON Schema has passed) and finds every fault at once, each with its JSON pointer. */
export function compileWorkflow(definition: WorkflowDefinition): CompileResult {
  const graph = stepGraph(definition);
  const faults = [
    ...faultsOfWhole(definition),
    ...Object.keys(definition.steps).flatMap((name) => faultsOfStep(name, definition)),
    ...faultsOfNeeds(definition, graph),
    ...faultsOfExpressions(definition, graph),
  ];
  if (faults.length > 0) return { ok: false, faults: faults.slice(0, MAX_FAULTS) };
  const steps = sortTopologically(graph.waits).map((name): CompiledStep => {
    const edges = graph.edges.get(name);
    const fallbackFor = graph.fallbackOf.get(name)?.[0];
    return {
      name,
      step: definition.steps[name] as WorkflowStep,
      needs: [...(graph.needs.get(name) as readonly string[])],
      ...(edges ? { edges } : {}),
      ...(fallbackFor === undefined ? {} : { fallbackFor }),
    };
  });
  return { ok: true, workflow: { definition, steps, outputs: outputsOf(definition, steps) } };
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

/** The output that is named, or the steps that nothing needs, in the author's order; a fallback stands for another step. */
function outputsOf({ output, steps }: WorkflowDefinition, compiled: readonly CompiledStep[]): string[] {
  if (output !== undefined) return [output];
  const inner = new Set(compiled.flatMap(({ needs }) => needs));
  for (const { name, fallbackFor } of compiled) if (fallbackFor !== undefined) inner.add(name);
  return Object.keys(steps).filter((name) => !inner.has(name));
}
