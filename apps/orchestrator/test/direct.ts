import { expect } from '@jest/globals';
import type { JobId, JsonValue, OrderId, PlanId, StepState, WorkerEvent } from '@connecta/contracts';
import { applyReports, type Applied } from '../src/advance/apply-reports.ts';
import type { Report } from '../src/advance/read-report.ts';
import { BuiltInEngine } from '../src/engine/built-in.ts';
import type { EngineParts } from '../src/engine/drafts.ts';
import type { Outcome } from '../src/engine/outcome.ts';
import { planOrders } from '../src/plan/plan-orders.ts';
import type { Harness } from './harness.ts';
import { replayItems } from './replay.ts';

/** A job as a report names it. */
export interface JobName {
  id: string;
  orderId: string;
  attempt: number;
}

/** What a worker says of a job's attempt, its lease in order. */
export function reportOf({ id, orderId, attempt }: JobName, what: object): Report {
  const jobId = id as JobId;
  const head = { jobId, attempt, lease: 'not looked at here', instance: 'tester', at: new Date().toISOString() };
  const lease = { orderId: orderId as OrderId, jobId, attempt, workerType: 'scripted', expiresAtMs: 0 };
  return { event: { ...head, ...what } as WorkerEvent, lease };
}

export const completed = (job: JobName, value: unknown = 1, more: object = {}): Report =>
  reportOf(job, { type: 'completed', value, ...more });
export const flaky = (job: JobName): Report =>
  reportOf(job, { type: 'failed', error: { kind: 'retryable', code: 'flaky', message: 'not today' } });

export function apply(parts: EngineParts, reports: readonly Report[]): Promise<Applied> {
  return applyReports({ parts, reports, random: () => 0 });
}

/** Makes accepted orders active, without sending anything. */
export async function launch(harness: Harness, parts: EngineParts): Promise<Outcome> {
  const engine = new BuiltInEngine(parts.store, harness.queue.jobs);
  return (await planOrders({ parts, engine, limit: 1000 })) ?? { commands: [], changedOrders: [] };
}

export function jobsOf(harness: Harness, orderId: OrderId): Promise<(JobName & { step: string; state: string })[]> {
  return harness.store.prisma.job.findMany({ where: { orderId }, orderBy: { id: 'asc' } });
}

/** Places an order and lets it begin. */
export async function beginOrder(
  harness: Harness,
  parts: EngineParts,
  order: { planId: PlanId; input?: JsonValue; more?: object },
): Promise<OrderId> {
  const { planId, input = 1, more = {} } = order;
  const [id] = (await harness.accept([{ planId, input }])) as [OrderId];
  await harness.store.prisma.order.update({ where: { id }, data: more });
  await launch(harness, parts);
  return id;
}

/** Completes whatever runs with `<step>!`, or as told; the steps in the order in which they ran. */
export async function finishOrder(
  harness: Harness,
  parts: EngineParts,
  order: { id: OrderId; values?: Record<string, unknown>; more?: object },
): Promise<string[]> {
  const { id, values = {}, more = {} } = order;
  const ran: string[] = [];
  for (let round = 0; round < 100; round++) {
    const open = (await jobsOf(harness, id)).filter(({ state }) => state === 'invoked');
    if (open.length === 0) break;
    ran.push(...open.map((job) => job.step));
    await apply(
      parts,
      open.map((job) => completed(job, values[job.step] ?? `${job.step}!`, more)),
    );
  }
  await expectConsistent(harness, id);
  return ran;
}

/** What must hold of every order at any time: its history, its row and its jobs say the same. */
export async function expectConsistent(harness: Harness, orderId: OrderId): Promise<void> {
  const order = await harness.store.prisma.order.findUniqueOrThrow({ where: { id: orderId } });
  const events = await harness.history(orderId);
  const { order: state, steps, items, counts } = replayItems(events);
  const jobs = await harness.store.prisma.job.findMany({ where: { orderId } });
  const stateOf = ({ state: known }: { state: string }): StepState => known as StepState;
  const rows = Object.fromEntries(jobs.filter(({ item }) => item === 0).map((job) => [job.step, stateOf(job)]));
  const itemRows = jobs.filter(({ item }) => item > 0).map((job) => [`${job.step}[${job.item}]`, stateOf(job)]);
  const heads = jobs.filter(({ itemsTotal }) => itemsTotal !== null);
  const stopped = Object.entries(steps).filter(([step]) => !(step in rows));
  expect({ state, version: events.length, steps }).toEqual({
    state: order.state,
    version: order.version,
    steps: order.progress,
  });
  expect({ ...rows, ...Object.fromEntries(stopped) }).toEqual(order.progress);
  expect(items).toEqual(Object.fromEntries(itemRows));
  expect(counts).toEqual(
    Object.fromEntries(
      heads.map(({ step, itemsTotal: total, itemsCreated: created, itemsDone: done, itemsFailed: failed }) => [
        step,
        { total, created, done, failed },
      ]),
    ),
  );
}
