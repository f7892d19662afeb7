import { Random } from '../random.ts';

const MAX_STEPS = 12;

/** What a step of a random graph does: `flaky` fails once and is tried again, `relent` gives in after a retry. */
export type Nature = 'any' | 'refuse' | 'flaky' | 'relent';

/** A random graph, and what is done to its order. */
export interface Graph {
  readonly steps: ReadonlyMap<string, { readonly uses: `probe/${Nature}`; readonly needs: readonly string[] }>;
  /** Tried again as a whole when it fails. */
  readonly isRetried: boolean;
  /** Cancelled after so long, if it is still under way. */
  readonly cancelAfterMs: number | undefined;
}

/** The same graph for the same seed. */
export function graphOf(seed: number): Graph {
  const random = new Random(seed);
  const steps = new Map<string, { uses: `probe/${Nature}`; needs: string[] }>();
  const count = 1 + random.below(MAX_STEPS);
  for (let at = 0; at < count; at++) {
    const needs = [...steps.keys()].filter(() => random.next() < 0.3);
    const roll = random.next();
    const nature = roll < 0.1 ? 'refuse' : roll < 0.2 ? 'flaky' : roll < 0.3 ? 'relent' : 'any';
    steps.set(`s${at}`, { uses: `probe/${nature}`, needs });
  }
  const isRetried = random.next() < 0.5;
  return { steps, isRetried, cancelAfterMs: random.next() < 0.2 ? random.below(150) : undefined };
}

/** What each step of a graph comes to without a cancel: the whole rule of failure isolation, and of retries. */
export function modelOf({ steps, isRetried }: Graph): { order: 'completed' | 'failed'; steps: Map<string, string> } {
  const first = epoch(steps, new Map());
  const hasFailed = [...first.values()].some((state) => state !== 'completed');
  const states = hasFailed && isRetried ? epoch(steps, first) : first;
  return {
    order: [...states.values()].every((state) => state === 'completed') ? 'completed' : 'failed',
    steps: states,
  };
}

/** One go: what completed before stays, what failed before has another attempt. */
function epoch(steps: Graph['steps'], before: ReadonlyMap<string, string>): Map<string, string> {
  const states = new Map<string, string>();
  for (const [name, { uses, needs }] of steps) {
    const earlier = before.get(name);
    const isBlocked = needs.some((need) => states.get(need) !== 'completed');
    const fails = uses === 'probe/refuse' || (uses === 'probe/relent' && earlier !== 'error');
    if (earlier === 'completed') states.set(name, 'completed');
    else states.set(name, isBlocked ? 'skipped' : fails ? 'error' : 'completed');
  }
  return states;
}
