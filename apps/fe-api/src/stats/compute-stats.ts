import type { FeApiOperations, PlanId } from '@connecta/contracts';
import type { Plan } from '@connecta/domain';
import type { OperationAnswer } from '@connecta/runtime';
import type { StatsRows, WorkerTypeSummary } from '@connecta/store';
import { offlineOf } from './offline.ts';

export type Stats = OperationAnswer<FeApiOperations['getStats'], 200>;
type TaskStats = Stats['tasks'][number];

const MAX_BOTTLENECKS = 5;
/** Open jobs that no runner has yet. */
const WAITING = new Set(['invoked', 'queued']);

/** What is going on, from raw figures: what orders still need, where it waits, and for whom. */
export function computeStats(
  at: Date,
  rows: StatsRows,
  plans: ReadonlyMap<PlanId, Plan>,
  types: readonly WorkerTypeSummary[],
): Stats {
  const tasks = tasksOf(rows, plans);
  const waiting = new Map<string, number>();
  for (const task of tasks) {
    waiting.set(task.workerType, (waiting.get(task.workerType) ?? 0) + waitingOf(task));
  }
  const ages = tasks.map(({ oldestMs }) => oldestMs).filter((age) => age !== null);
  return {
    at: at.toISOString(),
    orders: {
      accepted: sum(rows.orders.map((row) => row.accepted)),
      active: sum(rows.orders.map((row) => row.active)),
    },
    tasks,
    workers: types.map((summary) => ({
      ...liveOf(summary),
      waiting: waiting.get(summary.type) ?? 0,
      offline: offlineOf(summary),
    })),
    queueAgeMs: ages.length > 0 ? Math.max(...ages) : null,
    bottlenecks: bottlenecksOf(tasks, new Map(types.map((type) => [type.type, type.slots]))),
  };
}

function liveOf(summary: WorkerTypeSummary): Omit<Stats['workers'][number], 'waiting' | 'offline'> {
  const { type, ownerTeam, ownerContact, ready, draining, slots, freeSlots } = summary;
  return { type, owner: { team: ownerTeam, contact: ownerContact }, ready, draining, slots, freeSlots };
}

function tasksOf(rows: StatsRows, plans: ReadonlyMap<PlanId, Plan>): TaskStats[] {
  const tasks = new Map<string, TaskStats>();
  const taskOf = (planId: PlanId, step: string): TaskStats | undefined => {
    const planned = plans.get(planId)?.steps[step];
    if (planned?.kind !== 'task') return undefined;
    const known = tasks.get(planned.uses);
    if (known) return known;
    const fresh: TaskStats = { task: planned.uses, workerType: planned.workerType, toDo: 0, jobs: {}, oldestMs: null };
    tasks.set(planned.uses, fresh);
    return fresh;
  };
  for (const { planId, accepted, active } of rows.orders) {
    for (const step of Object.keys(plans.get(planId)?.steps ?? {})) {
      const task = taskOf(planId, step);
      if (task) task.toDo += accepted + active;
    }
  }
  for (const { planId, step, count } of rows.ended) {
    const task = taskOf(planId, step);
    // The figures are read one after the other: an order may have ended in between.
    if (task) task.toDo = Math.max(0, task.toDo - count);
  }
  for (const { planId, step, state, count, oldestMs } of rows.jobs) {
    const task = taskOf(planId, step);
    if (!task) continue;
    task.jobs[state] = (task.jobs[state] ?? 0) + count;
    if (WAITING.has(state)) task.oldestMs = Math.max(task.oldestMs ?? 0, Math.round(oldestMs));
  }
  return [...tasks.values()].sort((a, b) => (a.task < b.task ? -1 : 1));
}

/** The tasks with the most waiting jobs a slot; a task without any slot is worse than any other. */
function bottlenecksOf(tasks: readonly TaskStats[], slotsOf: ReadonlyMap<string, number>): Stats['bottlenecks'] {
  return tasks
    .map((task) => {
      const { workerType } = task;
      const slots = slotsOf.get(workerType) ?? 0;
      const waiting = waitingOf(task);
      return { task: task.task, workerType, waiting, slots, waitingPerSlot: slots > 0 ? waiting / slots : null };
    })
    .filter(({ waiting }) => waiting > 0)
    .sort((a, b) => (b.waitingPerSlot ?? Infinity) - (a.waitingPerSlot ?? Infinity) || b.waiting - a.waiting)
    .slice(0, MAX_BOTTLENECKS);
}

function waitingOf({ jobs }: TaskStats): number {
  return (jobs['invoked'] ?? 0) + (jobs['queued'] ?? 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
