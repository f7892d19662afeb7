import type { Random } from '../random.ts';
import { must, type Scenario } from './scenario.ts';

const ENDED_MS = 120_000;
const MAX_STEPS = 12;

interface GraphStep {
  uses: 'probe/any' | 'probe/refuse';
  needs: string[];
}

/** A random graph in which some steps fail. */
function randomGraph(random: Random): Map<string, GraphStep> {
  const graph = new Map<string, GraphStep>();
  const count = 1 + random.below(MAX_STEPS);
  for (let at = 0; at < count; at++) {
    const needs = [...graph.keys()].filter(() => random.next() < 0.3);
    graph.set(`s${at}`, { uses: random.next() < 0.15 ? 'probe/refuse' : 'probe/any', needs });
  }
  return graph;
}

/** What each step must come to: the whole rule of failure isolation. */
function modelOf(graph: ReadonlyMap<string, GraphStep>): Map<string, string> {
  const states = new Map<string, string>();
  for (const [name, { uses, needs }] of graph) {
    const blocked = needs.some((need) => states.get(need) !== 'completed');
    states.set(name, blocked ? 'skipped' : uses === 'probe/refuse' ? 'error' : 'completed');
  }
  return states;
}

/** F34: random graphs with failing steps come to what a model of a few lines says. */
export const graphs: Scenario = {
  id: 'F34',
  title: 'random graphs against a model',
  async run({ system: { api } }, random, orders) {
    const all = Array.from({ length: Math.min(orders, 500) }, () => randomGraph(random));
    const ids = await api.placeMany(
      all.map((graph) => ({ client: 'default', input: 1, steps: Object.fromEntries(graph) })),
    );
    for (const [at, id] of ids.entries()) {
      const { jobs } = await api.ended(id, ENDED_MS);
      const seen = Object.entries(jobs).map(([name, { state }]) => `${name} ${state}`);
      const wanted = [...modelOf(all[at] as Map<string, GraphStep>)].map(([name, state]) => `${name} ${state}`);
      must(seen.sort().join() === wanted.sort().join(), `order ${id}: ${seen.join()} instead of ${wanted.join()}`);
    }
    return `${ids.length} graphs`;
  },
};
