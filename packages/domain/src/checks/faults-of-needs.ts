import { parseNeed, type Fault, type WorkflowDefinition, type WorkflowStep } from '@connecta/contracts';
import { findCycle } from '../graph.ts';
import type { StepGraph } from '../step-graph.ts';
import { pointer } from './pointer.ts';

/** What of the needs and fallbacks of the steps does not fit together. */
export function faultsOfNeeds(definition: WorkflowDefinition, graph: StepGraph): Fault[] {
  const names = Object.keys(definition.steps);
  const faults = [
    ...names.flatMap((name) => faultsOfNeedsOf(name, definition)),
    ...names.flatMap((name) => faultsOfFallback(name, definition, graph)),
  ];
  const cycle = findCycle(graph.waits);
  if (cycle) {
    faults.push({
      path: pointer('steps', cycle[0] as string, 'needs'),
      message: `these steps wait for each other: ${cycle.join(' → ')}`,
      code: 'cycle',
    });
  }
  return faults;
}

function faultsOfNeedsOf(name: string, { steps }: WorkflowDefinition): Fault[] {
  const written = (steps[name] as WorkflowStep).needs ?? [];
  return written.flatMap((text, i) => {
    const { step: need, edge } = parseNeed(text);
    const path = pointer('steps', name, 'needs', i);
    if (!Object.hasOwn(steps, need)) return [{ path, message: `there is no step '${need}'`, code: 'unknown_step' }];
    if (edge !== undefined && written.includes(need)) {
      const message = `'${need}' is needed already, however it ends well: name it alone, or by its edges`;
      return [{ path, message, code: 'unknown_edge' }];
    }
    const message = edge === undefined ? null : faultOfEdge(need, edge, steps[need] as WorkflowStep);
    return message === null ? [] : [{ path, message, code: 'unknown_edge' }];
  });
}

function faultOfEdge(need: string, edge: string, step: WorkflowStep): string | null {
  if (!('wait' in step) || step.wait.for === 'time') return `step '${need}' has no edges: it waits for no answer`;
  if (step.wait.for === 'callback' && edge !== 'timeout')
    return `step '${need}' waits for a callback: it has no ${edge}`;
  if (edge === 'timeout' && step.wait.timeout === undefined) return `step '${need}' has no timeout`;
  return null;
}

function faultsOfFallback(name: string, { steps, output }: WorkflowDefinition, graph: StepGraph): Fault[] {
  const { onError } = steps[name] as WorkflowStep;
  if (typeof onError !== 'object') return [];
  const { fallback } = onError;
  const fault = (message: string, code = 'fallback'): Fault => ({
    path: pointer('steps', name, 'onError', 'fallback'),
    message,
    code,
  });
  if (!Object.hasOwn(steps, fallback)) return [fault(`there is no step '${fallback}'`, 'unknown_step')];
  const faults: Fault[] = [];
  const others = (graph.fallbackOf.get(fallback) as string[]).filter((other) => other !== name);
  if (others.length > 0) faults.push(fault(`'${fallback}' is also the fallback of '${others.join("', '")}'`));
  const mine = graph.needs.get(name) as readonly string[];
  const more = (graph.needs.get(fallback) as readonly string[]).filter((need) => !mine.includes(need));
  if (more.length > 0)
    faults.push(fault(`'${fallback}' may need only what '${name}' needs, not '${more.join("', '")}'`));
  const dependents = [...graph.needs].filter(([, needs]) => needs.includes(fallback)).map(([other]) => other);
  if (dependents.length > 0) {
    faults.push(
      fault(`'${dependents.join("', '")}' may not need '${fallback}': its result stands for that of '${name}'`),
    );
  }
  if (output === fallback)
    faults.push(fault(`'${fallback}' cannot be the output: its result stands for that of '${name}'`));
  return faults;
}
