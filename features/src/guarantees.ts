import type { HistoryEvent, JobState, OrderState } from '@connecta/contracts';
import { jobMayMove, orderMayMove } from '@connecta/domain';
import type { Store } from '@connecta/store';
import type { Effect, Ledger } from './ledger.ts';

/** Everything that is known of one order whose steps each add 1: what it must have come to can be told from it alone. */
export interface OrderRecord {
  /** Its place among the orders that were placed. */
  readonly index: number;
  readonly id: string;
  /** Null of an order that is lost. */
  readonly row: { state: string; version: number; input: unknown; result: unknown } | null;
  readonly jobs: readonly {
    id: string;
    step: string;
    state: string;
    attempt: number;
    input: unknown;
    result: unknown;
    finishedAt: string | null;
  }[];
  readonly history: readonly { seq: number; events: readonly HistoryEvent[] }[];
  /** By job: what it did to the world outside. */
  readonly effects: Readonly<Record<string, Effect>>;
  readonly lateReports: number;
}

/** What a run of orders came to. */
export interface Kept {
  readonly orders: number;
  readonly steps: number;
  /** Deliveries of a job beyond its first, over all orders. */
  readonly extraAttempts: number;
  readonly lateReports: number;
}

/** Reads what is known of orders: rows, histories, and the ledger's effects. */
export async function readRecords(store: Store, ledger: Ledger, ids: readonly string[]): Promise<OrderRecord[]> {
  const { prisma } = store;
  const where = { orderId: { in: [...ids] } };
  const orders = new Map((await prisma.order.findMany({ where: { id: { in: [...ids] } } })).map((o) => [o.id, o]));
  const jobs = Map.groupBy(await prisma.job.findMany({ where, orderBy: { id: 'asc' } }), (job) => job.orderId);
  const events = await prisma.orderEvents.findMany({ where, orderBy: { seq: 'asc' } });
  const histories = Map.groupBy(events, (row) => row.orderId);
  const late = Map.groupBy(await prisma.lateReport.findMany({ where }), (report) => report.orderId);
  const effects = await ledger.effects();
  return ids.map((id, index) => {
    const order = orders.get(id);
    const own = jobs.get(id) ?? [];
    return {
      ...{ index, id },
      row: order ? { state: order.state, version: order.version, input: order.input, result: order.result } : null,
      jobs: own.map(({ id: jobId, step, state, attempt, input, result, finishedAt }) => ({
        ...{ id: jobId, step, state, attempt, input, result, finishedAt: finishedAt?.toISOString() ?? null },
      })),
      history: (histories.get(id) ?? []).map((row) => ({
        seq: row.seq,
        events: row.events as unknown as HistoryEvent[],
      })),
      effects: Object.fromEntries(own.flatMap(({ id: jobId }) => withKey(jobId, effects.get(jobId)))),
      lateReports: late.get(id)?.length ?? 0,
    };
  });
}

/**
 * Checks what must hold of orders after any fault: all completed with the right result; every step with one accepted
 * result and one effect, which agree; a legal history without gaps that replays to the rows.
 *
 * @throws Error naming the first order that breaks it
 */
export function checkRecords(records: readonly OrderRecord[], steps: number): Kept {
  for (const record of records) {
    const fault = faultOf(record, steps);
    if (fault !== null) throw new Error(`order ${record.index} (${record.id}): ${fault}`);
  }
  const jobs = records.flatMap((record) => record.jobs);
  return {
    orders: records.length,
    steps: jobs.length,
    extraAttempts: jobs.reduce((sum, { attempt }) => sum + attempt - 1, 0),
    lateReports: records.reduce((sum, { lateReports }) => sum + lateReports, 0),
  };
}

function faultOf({ row, jobs, history, effects }: OrderRecord, steps: number): string | null {
  if (row?.state !== 'completed') return `is ${row?.state ?? 'lost'}: ${JSON.stringify(jobs)}`;
  if (jobs.length !== steps) return `has ${jobs.length} jobs`;
  if (row.result !== Number(row.input) + steps) return `has the result ${JSON.stringify(row.result)}`;
  const replayed = replay(history);
  if (typeof replayed === 'string') return replayed;
  if (replayed.version !== row.version) return `has version ${row.version} and ${replayed.version} events`;
  if (replayed.order !== row.state) return `replays to ${replayed.order}`;
  for (const { id, step, state, attempt, input, result } of jobs) {
    const seen = replayed.jobs.get(id);
    if (seen?.state !== state) return `job ${step} is ${state} and replays to ${seen?.state}`;
    if (seen.attempt !== attempt) return `job ${step} is at attempt ${attempt} and replays to ${seen.attempt}`;
    if (seen.accepted !== 1) return `job ${step} has ${seen.accepted} accepted results`;
    if (result !== Number(input) + 1) return `job ${step} made ${JSON.stringify(result)} of ${JSON.stringify(input)}`;
    if (!effects[id]) return `job ${step} has a result and no effect`;
    if (effects[id].value !== result) return `job ${step} has the result ${JSON.stringify(result)} and another effect`;
  }
  return null;
}

interface Replayed {
  order: OrderState;
  version: number;
  jobs: Map<string, { state: JobState; attempt: number; accepted: number }>;
}

/** What a history comes to, or what is illegal in it. */
function replay(history: OrderRecord['history']): Replayed | string {
  const replayed: Replayed = { order: 'accepted', version: 0, jobs: new Map() };
  for (const { seq, events } of history) {
    if (seq !== replayed.version + 1) return `goes on with event ${seq} behind ${replayed.version}`;
    replayed.version += events.length;
    for (const event of events) {
      if (event.type === 'order') {
        if (!orderMayMove(replayed.order, event.state)) return `moved from ${replayed.order} to ${event.state}`;
        replayed.order = event.state;
      } else if (event.type === 'job') {
        const before = replayed.jobs.get(event.jobId) ?? { state: 'pending', attempt: 0, accepted: 0 };
        if (!jobMayMove(before.state, event.state)) return `moved ${event.step} from ${before.state} to ${event.state}`;
        if (event.attempt < before.attempt) return `went back to attempt ${event.attempt} of ${event.step}`;
        const accepted = before.accepted + (event.state === 'completed' ? 1 : 0);
        replayed.jobs.set(event.jobId, { state: event.state, attempt: event.attempt, accepted });
      }
    }
  }
  return replayed;
}

function withKey<T>(key: string, value: T | undefined): [string, T][] {
  return value === undefined ? [] : [[key, value]];
}
