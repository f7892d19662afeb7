import type { Cel, Fault, Template, WorkflowDefinition, WorkflowForEach, WorkflowStep } from '@connecta/contracts';
import { expressionsIn } from '../expressions/evaluate.ts';
import { EACH_MEMBERS } from '../expressions/scope.ts';
import { upstreamOf, type StepGraph } from '../step-graph.ts';
import { faultsOfNames, type Names } from './faults-of-names.ts';
import { pointer } from './pointer.ts';

/** An expression of a step, where it stands, and which members of `each` it can see; none: it stands outside. */
interface Placed {
  path: (string | number)[];
  source: Cel;
  each: readonly string[] | null;
}

const NO_STEPS: ReadonlySet<string> = new Set();

/** What is wrong with the expressions of a workflow, each in its place. */
export function faultsOfExpressions(definition: WorkflowDefinition, graph: StepGraph): Fault[] {
  const { steps, params, concurrency } = definition;
  const common = {
    params: params && Object.keys(params),
    steps: Object.keys(steps),
    waits: new Set(Object.keys(steps).filter((name) => 'wait' in (steps[name] as WorkflowStep))),
  };
  const faults = Object.entries(steps).flatMap(([name, step]) => {
    const placed = expressionsOf(step);
    if (placed.length === 0) return [];
    const upstream = upstreamOf(name, graph, definition);
    const relations = Object.keys(forEachOf(step)?.related ?? {});
    return placed.flatMap(({ path, source, each }) => {
      const names: Names = { ...common, upstream, roots: ['input', 'params', 'strategy', 'steps'] };
      if (each) names.each = { members: each, relations };
      return faultsOfNames(source, pointer('steps', name, ...path), names);
    });
  });
  if (concurrency?.key === undefined) return faults;
  const names: Names = { ...common, upstream: NO_STEPS, roots: ['input', 'params', 'strategy', 'client'] };
  return [...faults, ...faultsOfNames(concurrency.key, pointer('concurrency', 'key'), names)];
}

function expressionsOf(step: WorkflowStep): Placed[] {
  const forEach = forEachOf(step);
  const related = Object.entries(forEach?.related ?? {});
  const members = EACH_MEMBERS.filter((member) => member !== 'related' || related.length > 0);
  const each = forEach ? members : null;
  const placed: Placed[] = [];
  if (step.if !== undefined) placed.push({ path: ['if'], source: step.if, each });
  if (step.with !== undefined) placed.push(...inTemplate(['with'], step.with, each));
  if ('workflow' in step && step.params) placed.push(...inTemplate(['params'], step.params, each));
  if ('wait' in step && step.wait.for === 'time' && step.wait.until !== undefined) {
    placed.push({ path: ['wait', 'until'], source: step.wait.until, each: null });
  }
  if (!forEach) return placed;
  placed.push({
    path: typeof step.forEach === 'string' ? ['forEach'] : ['forEach', 'items'],
    source: forEach.items,
    each: null,
  });
  // What names an item, and what it is related to, is found out before there are keys and relations.
  if (forEach.key !== undefined) {
    placed.push({ path: ['forEach', 'key'], source: forEach.key, each: ['item', 'index', 'items'] });
  }
  for (const [relation, source] of related) {
    placed.push({ path: ['forEach', 'related', relation], source, each: ['item', 'index', 'key', 'items'] });
  }
  return placed;
}

function inTemplate(path: readonly string[], template: Template, each: readonly string[] | null): Placed[] {
  return expressionsIn(template, path).map((found) => ({ ...found, each }));
}

function forEachOf({ forEach }: WorkflowStep): WorkflowForEach | null {
  if (forEach === undefined) return null;
  return typeof forEach === 'string' ? { items: forEach } : forEach;
}
