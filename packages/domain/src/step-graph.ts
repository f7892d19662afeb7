import { parseNeed, type Edge, type WorkflowDefinition, type WorkflowStep } from '@connecta/contracts';

/** Which steps wait for which, as the author wrote it; names that do not exist are still in it. */
export interface StepGraph {
  /** By step: the steps it needs, each once, without edges. */
  needs: ReadonlyMap<string, readonly string[]>;
  /** By step: of its needs, the edges that alone meet them. */
  edges: ReadonlyMap<string, { [need: string]: Edge[] }>;
  /** By fallback: the steps whose fallback it is (one, in a workflow without faults). */
  fallbackOf: ReadonlyMap<string, readonly string[]>;
  /** By step: the steps that end before it begins; a fallback waits for its step, whether it says so or not. */
  waits: ReadonlyMap<string, readonly string[]>;
}

/** Reads the graph out of a workflow. */
export function stepGraph({ steps }: WorkflowDefinition): StepGraph {
  const needs = new Map<string, string[]>();
  const edges = new Map<string, { [need: string]: Edge[] }>();
  const fallbackOf = new Map<string, string[]>();
  for (const [name, step] of Object.entries(steps)) {
    const parsed = (step.needs ?? []).map(parseNeed);
    needs.set(name, [...new Set(parsed.map(({ step: need }) => need))]);
    const taken = new Map<string, Edge[]>();
    for (const { step: need, edge } of parsed) {
      if (edge !== undefined) taken.set(need, [...(taken.get(need) ?? []), edge as Edge]);
    }
    if (taken.size > 0) edges.set(name, Object.fromEntries(taken));
    const fallback = fallbackIn(step);
    if (fallback !== undefined) fallbackOf.set(fallback, [...(fallbackOf.get(fallback) ?? []), name]);
  }
  const waits = new Map([...needs].map(([name, list]) => [name, [...list, ...(fallbackOf.get(name) ?? [])]]));
  return { needs, edges, fallbackOf, waits };
}

/**
 * The steps that have ended when a step begins: what it needs, directly and indirectly, the fallbacks of these, and for
 * a fallback its step.
 */
export function upstreamOf(step: string, { waits }: StepGraph, { steps }: WorkflowDefinition): Set<string> {
  const upstream = new Set<string>();
  const open = [step];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const need of waits.get(at) ?? []) {
      if (upstream.has(need)) continue;
      upstream.add(need);
      open.push(need);
      const fallback = Object.hasOwn(steps, need) ? fallbackIn(steps[need] as WorkflowStep) : undefined;
      if (fallback !== undefined && fallback !== step) open.push(fallback);
    }
    if (at !== step) upstream.add(at);
  }
  return upstream;
}

function fallbackIn({ onError }: WorkflowStep): string | undefined {
  return typeof onError === 'object' ? onError.fallback : undefined;
}
