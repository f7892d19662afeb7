import { parseTask, type ClientId, type FeApiOperations } from '@connecta/contracts';
import { isFresh, usesOfTask } from '@connecta/domain';
import { findTaskRuns } from '@connecta/intake';
import type { OperationAnswer } from '@connecta/runtime';
import {
  findTaskProfiles,
  listDeclaredTasks,
  listOwnerTeams,
  readClock,
  type KnownTask,
  type Store,
} from '@connecta/store';

type DeclaredView = OperationAnswer<FeApiOperations['listTasks'], 200>['items'][number];
type GraphView = OperationAnswer<FeApiOperations['getTaskGraph'], 200>;

/** Everything that is known of the declared tasks, and of those that they follow, for one client. */
interface Known {
  declared: KnownTask[];
  /** Tasks whose profile exists. */
  known: ReadonlySet<string>;
  lastRun: (task: string) => { lastRun?: { orderId: string; finishedAt: string } };
  runs: Awaited<ReturnType<typeof findTaskRuns>>;
}

/** The declared tasks by name. */
export async function readDeclaredTasks(store: Store, clientId: ClientId): Promise<DeclaredView[]> {
  const { declared, known, lastRun } = await readKnown(store, clientId);
  return declared.map(({ task, workerType, ownerTeam, profile, upstream, cron, scheduleId }) => ({
    ...{
      task,
      workerType,
      owner: ownerTeam,
      upstream: [...upstream] as DeclaredView['upstream'],
      known: known.has(task),
    },
    ...(profile === null ? {} : { profile }),
    ...(cron === null ? {} : { cron }),
    ...(scheduleId === null ? {} : { scheduleId }),
    ...lastRun(task),
  }));
}

/** The declared tasks of all types as one graph, with the tasks that they follow. */
export async function readTaskGraph(store: Store, clientId: ClientId): Promise<GraphView> {
  const { declared, known, lastRun, runs } = await readKnown(store, clientId);
  const teams = await listOwnerTeams(store);
  const now = await readClock(store);
  const names = new Set(declared.map(({ task }) => task));
  const all = new Set([...names, ...declared.flatMap(({ upstream }) => upstream.map((up) => up.task))]);
  const nodes = [...all].sort().map((task) => ({
    ...{ task, owner: teams.get(parseTask(task)?.workerType ?? '') ?? null },
    ...{ declared: names.has(task), known: known.has(task) },
    ...lastRun(task),
  }));
  const edges = declared.flatMap(({ task, upstream }) =>
    upstream.map((up) => ({
      ...{ from: up.task, to: task, fresh: isFresh(up, runs.get(up.task), now) },
      ...(up.within === undefined ? {} : { within: up.within }),
    })),
  );
  return { nodes, edges };
}

async function readKnown(store: Store, clientId: ClientId): Promise<Known> {
  const declared = await listDeclaredTasks(store);
  const profileOf = new Map(declared.map(({ task, profile }) => [task, profile]));
  const usesOf = (task: string): string => usesOfTask(task, profileOf.get(task));
  const tasks = [...new Set(declared.flatMap(({ task, upstream }) => [task, ...upstream.map((up) => up.task)]))];
  const profiles = new Set((await findTaskProfiles(store, tasks.map(usesOf))).map(({ task }) => task));
  const runs = await findTaskRuns(store, clientId, tasks, usesOf);
  return {
    ...{ declared, runs, known: new Set(tasks.filter((task) => profiles.has(usesOf(task)))) },
    lastRun: (task) => {
      const run = runs.get(task);
      return run ? { lastRun: { orderId: run.orderId, finishedAt: run.finishedAt.toISOString() } } : {};
    },
  };
}
