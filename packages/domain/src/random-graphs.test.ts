import { expect, test } from '@jest/globals';
import type { Edge, EndedJobState, ProfileId, StepState } from '@connecta/contracts';
import { advance, begin, resume, type Advance } from './advance.ts';
import { compilePlan, type Plan, type PlannedStep } from './plan.ts';

/** A small seeded generator (mulberry32): the same graphs on every machine. */
function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Case {
  plan: Plan;
  /** How each step ends when it runs. */
  fate: Map<string, EndedJobState>;
  /** The edge that a step takes when it completes. */
  outcomes: Map<string, Edge>;
}

const EDGE_SETS: Edge[][] = [['approve'], ['reject'], ['approve', 'edit'], ['reject', 'timeout']];

function randomCase(random: () => number): Case {
  const size = 1 + Math.floor(random() * 14);
  const plan: Plan = { steps: {}, outputs: [] };
  const fate = new Map<string, EndedJobState>();
  const outcomes = new Map<string, Edge>();
  for (let i = 0; i < size; i++) {
    const needs = Array.from({ length: i }, (_, n) => `s${n}`).filter(() => random() < 2.2 / Math.max(i, 1));
    const step: PlannedStep = {
      kind: 'task',
      uses: 'g/x',
      workerType: 'g',
      function: 'x',
      profileId: 'p' as ProfileId,
      profileRevision: 1,
      needs,
    };
    if (random() < 0.15) step.onError = 'continue';
    for (const need of needs) {
      if (!outcomes.has(need) || random() < 0.5) continue;
      step.edges = { ...step.edges, [need]: EDGE_SETS[Math.floor(random() * EDGE_SETS.length)] as Edge[] };
    }
    plan.steps[`s${i}`] = step;
    if (random() < 0.15) outcomes.set(`s${i}`, (['approve', 'reject', 'edit', 'timeout'] as const)[i % 4] as Edge);
    // What stands in for a step stands where it stands.
    const before = plan.steps[`s${i - 1}`];
    if (before && !before.onError && !needs.includes(`s${i - 1}`) && random() < 0.2) {
      before.onError = { fallback: `s${i}` };
      Object.assign(step, { fallbackFor: `s${i - 1}`, needs: before.needs, edges: before.edges });
    }
    const roll = random();
    fate.set(`s${i}`, roll < 0.12 ? 'error' : roll < 0.22 ? 'skipped' : 'completed');
  }
  const names = Object.keys(plan.steps);
  plan.outputs = names.filter((_, i) => i === size - 1 || random() < 0.2);
  return { plan, fate, outcomes };
}

/** What must become of every step: straight from the rules, each step asking its needs. */
function model({ plan, fate, outcomes }: Case): { states: Map<string, StepState>; failed: (step: string) => boolean } {
  const states = new Map<string, StepState>();
  const stateOf = (name: string): StepState => {
    const known = states.get(name) ?? decide(name);
    states.set(name, known);
    return known;
  };
  /** How a step counts: `softly` for those that need it, for whom an error may be no more than a missing result. */
  const endOf = (name: string, softly: boolean): 'met' | 'skipped' | 'failed' => {
    const state = stateOf(name);
    if (state === 'completed') return 'met';
    if (state === 'skipped') return 'skipped';
    const onError = plan.steps[name]?.onError;
    if (state === 'error' && typeof onError === 'object') {
      const end = endOf(onError.fallback, softly);
      return stateOf(onError.fallback) === 'skipped' ? 'failed' : end;
    }
    return state === 'error' && softly && onError === 'continue' ? 'skipped' : 'failed';
  };
  const decide = (name: string): StepState => {
    const step = plan.steps[name] as PlannedStep;
    const untaken = step.needs.some((need) => {
      const taken = stateOf(need) === 'completed' ? outcomes.get(need) : undefined;
      return taken !== undefined && !(step.edges?.[need] ?? ['approve', 'edit']).includes(taken);
    });
    if (untaken) return 'skipped';
    if (step.fallbackFor !== undefined && stateOf(step.fallbackFor) !== 'error') return 'skipped';
    const ends = step.needs.map((need) => endOf(need, true));
    if (ends.includes('failed')) return 'blocked';
    if (ends.length > 0 && ends.every((end) => end === 'skipped')) return 'skipped';
    return fate.get(name) as StepState;
  };
  for (const name of Object.keys(plan.steps)) stateOf(name);
  return { states, failed: (step) => endOf(step, false) === 'failed' };
}

/** Runs a case by `advance`, ending random handfuls of the running steps, in random order. */
function simulate({ plan, fate, outcomes }: Case, random: () => number): { last: Advance; runs: string[] } {
  const compiled = compilePlan(plan);
  let last = begin(compiled);
  const runs = [...last.ready];
  const running = [...last.ready];
  while (running.length > 0) {
    const ended = new Map<string, EndedJobState>();
    const edges = new Map<string, Edge>();
    const handful = 1 + Math.floor(random() * running.length);
    for (let i = 0; i < handful; i++) {
      const [step] = running.splice(Math.floor(random() * running.length), 1);
      const end = fate.get(step as string) as EndedJobState;
      ended.set(step as string, end);
      const edge = outcomes.get(step as string);
      if (edge && end === 'completed') edges.set(step as string, edge);
    }
    expect(last.outcome).toBeNull();
    last = advance(compiled, last.progress, ended, edges);
    runs.push(...last.ready);
    running.push(...last.ready);
    expect(advance(compiled, last.progress, ended, edges)).toMatchObject({ ready: [], stopped: [] });
    expect(resume(compiled, last.progress)).toMatchObject({ ready: [], outcome: last.outcome });
  }
  return { last, runs };
}

test('two thousand random graphs with failures, fallbacks and edges end as the rules say, however their ends arrive', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const random = randomOf(seed);
    const it = randomCase(random);
    const { states: expected, failed } = model(it);
    const { last, runs } = simulate(it, random);
    const outcome = it.plan.outputs.some(failed) ? 'failed' : 'completed';
    expect({ seed, progress: last.progress, outcome: last.outcome }).toEqual({
      seed,
      progress: Object.fromEntries(expected),
      outcome,
    });
    expect(new Set(runs).size).toBe(runs.length);
  }
});
