import type { HistoryEvent, JobState, OrderId, OrderState } from '@connecta/contracts';
import { jobMayMove, orderMayMove } from '@connecta/domain';
import type { TestSystem } from './system.ts';

export interface Kept {
  /** Deliveries of a job beyond its first, over all orders. */
  extraAttempts: number;
  lateReports: number;
}

/**
 * Checks what must hold of orders after any fault: all completed with the right result, one accepted result a step, a
 * legal history that replays to the database.
 *
 * @throws Error naming the first order that breaks it.
 */
export async function checkGuarantees(
  system: TestSystem,
  ids: readonly string[],
  expected: { steps: number; result: (index: number) => unknown },
): Promise<Kept> {
  const { prisma } = system.store;
  const orders = new Map((await prisma.order.findMany({ where: { id: { in: [...ids] } } })).map((o) => [o.id, o]));
  const jobs = await prisma.job.findMany({ where: { orderId: { in: [...ids] } } });
  const rows = await prisma.orderEvents.findMany({ where: { orderId: { in: [...ids] } }, orderBy: { seq: 'asc' } });
  const histories = Map.groupBy(rows, (row) => row.orderId);
  const byOrder = Map.groupBy(jobs, (job) => job.orderId);
  for (const [index, id] of ids.entries()) {
    const order = orders.get(id);
    const fault = (text: string): Error => new Error(`order ${index} (${id}): ${text}`);
    if (order?.state !== 'completed') throw fault(`is ${order?.state ?? 'lost'}: ${JSON.stringify(byOrder.get(id))}`);
    if (JSON.stringify(order.result) !== JSON.stringify(expected.result(index))) {
      throw fault(`has the result ${JSON.stringify(order.result)}`);
    }
    const events = (histories.get(id) ?? []).flatMap((row) => row.events as unknown as HistoryEvent[]);
    if (order.version !== events.length) throw fault(`has version ${order.version} and ${events.length} events`);
    const replayed = replay(events);
    if (replayed.order !== order.state) throw fault(`replays to ${replayed.order}`);
    const own = byOrder.get(id) ?? [];
    if (own.length !== expected.steps) throw fault(`has ${own.length} jobs`);
    for (const job of own) {
      if (replayed.jobs.get(job.id) !== job.state)
        throw fault(`job ${job.step} replays to ${replayed.jobs.get(job.id)}`);
      if (replayed.accepted.get(job.id) !== 1)
        throw fault(`job ${job.step} has ${replayed.accepted.get(job.id)} results`);
    }
  }
  return {
    extraAttempts: jobs.reduce((sum, job) => sum + job.attempt - 1, 0),
    lateReports: await prisma.lateReport.count({ where: { orderId: { in: [...ids] as OrderId[] } } }),
  };
}

function replay(events: readonly HistoryEvent[]): {
  order: OrderState;
  jobs: Map<string, JobState>;
  accepted: Map<string, number>;
} {
  let order: OrderState = 'accepted';
  const jobs = new Map<string, JobState>();
  const accepted = new Map<string, number>();
  for (const event of events) {
    if (event.type === 'order') {
      if (!orderMayMove(order, event.state)) throw new Error(`illegal: order ${order} → ${event.state}`);
      order = event.state;
    } else if (event.type === 'job') {
      const before = jobs.get(event.jobId) ?? 'pending';
      if (!jobMayMove(before, event.state)) throw new Error(`illegal: job ${event.step} ${before} → ${event.state}`);
      jobs.set(event.jobId, event.state);
      if (event.state === 'completed') accepted.set(event.jobId, (accepted.get(event.jobId) ?? 0) + 1);
    }
  }
  return { order, jobs, accepted };
}
