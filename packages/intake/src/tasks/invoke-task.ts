import { Problem, isId, type ClientId, type JsonValue, type OrderId } from '@connecta/contracts';
import {
  INVOCATION_PARAM,
  orderOfInvocation,
  planInvocation,
  usesOfTask,
  type LastRun,
  type TaskGraph,
} from '@connecta/domain';
import {
  findClientId,
  findLastRuns,
  findTaskProfiles,
  listDeclaredTasks,
  readClock,
  type Store,
  type TaskRun,
} from '@connecta/store';
import type { IntakeRequest } from '../requests.ts';

/** A task that somebody wants to be run, with what it follows where that is not fresh. */
export interface TaskInvocation {
  task: string;
  client: IntakeRequest['client'];
  input?: JsonValue | undefined;
  params?: { [name: string]: JsonValue } | undefined;
  /** Run every upstream, fresh or not. */
  force?: boolean | undefined;
}

/** The order of an invocation, and what it tells whoever asked. */
export interface PlannedInvocation {
  order: { [member: string]: JsonValue };
  runs: string[];
  fresh: { task: string; orderId: OrderId; since: string }[];
}

/**
 * Plans one order for a task: those of the tasks above it that are not fresh run before it. Whether they exist is for the
 * intake to say, as of any order. @throws Problem when the client is not known.
 */
export async function planTaskInvocation(store: Store, invocation: TaskInvocation): Promise<PlannedInvocation> {
  const { task, input = null, params = {}, force = false } = invocation;
  const declared = new Map((await listDeclaredTasks(store)).map((known) => [known.task, known]));
  const graph: TaskGraph = new Map([...declared].map(([name, { upstream }]) => [name, upstream]));
  const usesOf = (name: string): string => usesOfTask(name, declared.get(name)?.profile);
  const clientId = await clientOf(store, invocation.client);
  const runs = await findTaskRuns(store, clientId, tasksAbove(task, graph), usesOf);
  const now = await readClock(store);
  const plan = planInvocation({ task, graph, lastRuns: runs, now, force });
  const { steps, output, upstream, input: given } = orderOfInvocation({ plan, graph, lastRuns: runs, usesOf, input });
  const fresh = plan.fresh.map((name) => {
    const run = runs.get(name) as TaskRun;
    return { task: name, orderId: run.orderId, since: run.finishedAt.toISOString() };
  });
  const kept = { ...params, [INVOCATION_PARAM]: { task, runs: plan.runs, fresh } as JsonValue };
  const order = {
    ...{ steps: steps as JsonValue, output, input: given },
    params: Object.keys(upstream).length > 0 ? { ...kept, upstream } : kept,
  };
  return { order, runs: plan.runs, fresh };
}

/** What an order tells of the invocation that it came from, if it did; for a repeated request. */
export function readInvocation(params: JsonValue): Pick<PlannedInvocation, 'runs' | 'fresh'> | null {
  const kept = (params as { [name: string]: JsonValue } | null)?.[INVOCATION_PARAM];
  if (kept === undefined) return null;
  const { runs, fresh } = kept as unknown as PlannedInvocation;
  return { runs, fresh };
}

/** The last runs of declared tasks (or of those that they follow) for a client, by task. */
export async function findTaskRuns(
  store: Store,
  clientId: ClientId,
  tasks: readonly string[],
  usesOf: (task: string) => string,
): Promise<Map<string, TaskRun & LastRun>> {
  const profiles = new Map((await findTaskProfiles(store, tasks.map(usesOf))).map((known) => [known.task, known]));
  const runs = new Map(
    (await findLastRuns(store, clientId, [...profiles.values()])).map((run) => [run.profileId, run]),
  );
  return new Map(
    tasks.flatMap((task) => {
      const profile = profiles.get(usesOf(task));
      const run = profile && runs.get(profile.profileId);
      return run ? [[task, run] as const] : [];
    }),
  );
}

/** Every task that a task follows, directly or not. */
function tasksAbove(task: string, graph: TaskGraph): string[] {
  const above = new Set<string>([task]);
  for (const name of above) for (const up of graph.get(name) ?? []) above.add(up.task);
  above.delete(task);
  return [...above];
}

async function clientOf(store: Store, client: IntakeRequest['client']): Promise<ClientId> {
  const ref = 'id' in client ? client.id : client.name;
  const id = await findClientId(store, ref);
  if (id && (!isId(ref) || id === ref)) return id;
  throw new Problem('invalid_input', `There is no client '${ref}'`, {
    faults: [{ path: '/client', message: `there is no client '${ref}'`, code: 'unknown_client' }],
  });
}
