import { parseDuration, type JsonValue } from '@connecta/contracts';
import { findCycle, sortTopologically } from '../graph.ts';
import { chainOf } from '../workflow.ts';

/** What a task follows; fresh enough when its last run is younger than `within`. */
export interface Upstream {
  task: string;
  within?: string | undefined;
}

/** The declared tasks with what each follows; a task that is not in it follows nothing. */
export type TaskGraph = ReadonlyMap<string, readonly Upstream[]>;

/** A task's last completed run. */
export interface LastRun {
  finishedAt: Date;
  result: JsonValue;
}

export interface InvocationPlan {
  /** What runs, each behind what it follows; the invoked task is the last. */
  runs: string[];
  /** Followed tasks whose last result is taken over. */
  fresh: string[];
}

/** One cycle over the tasks, as a path that ends where it begins, or null. */
export function findTaskCycle(graph: TaskGraph): string[] | null {
  return findCycle(new Map([...graph].map(([task, upstream]) => [task, upstream.map((up) => up.task)])));
}

/** True when the last run of an upstream is young enough to be taken over. */
export function isFresh({ within }: Upstream, last: Pick<LastRun, 'finishedAt'> | undefined, now: Date): boolean {
  const withinMs = within === undefined ? null : parseDuration(within);
  return withinMs !== null && last !== undefined && now.getTime() - last.finishedAt.getTime() < withinMs;
}

/**
 * Which tasks an invocation runs: the task itself and, further up, each that is not fresh for somebody who follows it and
 * runs. What runs anyhow serves everybody; what is fresh is not looked behind.
 */
export function planInvocation(invoked: {
  task: string;
  graph: TaskGraph;
  lastRuns: ReadonlyMap<string, Pick<LastRun, 'finishedAt'>>;
  now: Date;
  force: boolean;
}): InvocationPlan {
  const { task, graph, lastRuns, now, force } = invoked;
  const running = new Set([task]);
  for (const name of running) {
    for (const up of graph.get(name) ?? []) {
      if (force || !isFresh(up, lastRuns.get(up.task), now)) running.add(up.task);
    }
  }
  const upstreamOf = (name: string): string[] => (graph.get(name) ?? []).map((up) => up.task);
  const needs = new Map([...running].map((name) => [name, upstreamOf(name).filter((up) => running.has(up))]));
  const fresh = [...running].flatMap(upstreamOf).filter((up) => !running.has(up));
  return { runs: sortTopologically(needs), fresh: [...new Set(fresh)] };
}

/** An order's own steps for a plan of an invocation. */
export interface InvocationOrder {
  steps: { [step: string]: { uses: string; needs?: string[]; with?: JsonValue } };
  output: string;
  input: JsonValue;
  /** By task, the results that are taken over beside steps that run; `with` names them. */
  upstream: { [task: string]: JsonValue };
}

/**
 * The steps of an invocation. A task gets the result of what it follows (of several: an object keyed by step), run or
 * taken over; one that follows nothing gets the input. `usesOf` tells the profile that stands behind a task.
 */
export function orderOfInvocation(invocation: {
  plan: InvocationPlan;
  graph: TaskGraph;
  lastRuns: ReadonlyMap<string, LastRun>;
  usesOf: (task: string) => string;
  input: JsonValue;
}): InvocationOrder {
  const { plan, graph, lastRuns, usesOf, input } = invocation;
  const tasks = [...plan.fresh, ...plan.runs];
  const names = Object.keys(chainOf(tasks).steps);
  const nameOf = new Map(tasks.map((task, i) => [task, names[i] as string]));
  const stepOf = (task: string): string => nameOf.get(task) as string;
  const upstreamOf = (task: string): string[] => [...new Set((graph.get(task) ?? []).map((up) => up.task))];
  const isTaken = (task: string): boolean => plan.fresh.includes(task);
  const taken = (task: string): JsonValue => (lastRuns.get(task) as LastRun).result;
  const output = stepOf(plan.runs.at(-1) as string);
  const gathered = (of: readonly string[], each: (task: string) => JsonValue): JsonValue =>
    of.length === 1 ? each(of[0] as string) : Object.fromEntries(of.map((task) => [stepOf(task), each(task)]));
  const [first = '', ...others] = plan.runs;
  if (others.length === 0 && plan.fresh.length > 0) {
    // The only step takes everything over: it is the order's input.
    return {
      steps: { [output]: { uses: usesOf(first) } },
      output,
      input: gathered(upstreamOf(first), taken),
      upstream: {},
    };
  }
  const steps: InvocationOrder['steps'] = {};
  for (const task of plan.runs) {
    const above = upstreamOf(task);
    const needs = above.filter((up) => !isTaken(up)).map(stepOf);
    const mapping = gathered(above, (up) =>
      isTaken(up) ? `params.upstream[${JSON.stringify(up)}]` : `steps[${JSON.stringify(stepOf(up))}].result`,
    );
    steps[stepOf(task)] = {
      uses: usesOf(task),
      ...(needs.length > 0 ? { needs } : {}),
      ...(above.some(isTaken) ? { with: mapping } : {}),
    };
  }
  return { steps, output, input, upstream: Object.fromEntries(plan.fresh.map((task) => [task, taken(task)])) };
}

/** The profile's task behind a declared one: of the same type, under the profile's name where it has another. */
export function usesOfTask(task: string, profile: string | null | undefined): string {
  return profile ? task.replace(/[^/]*$/, profile) : task;
}
