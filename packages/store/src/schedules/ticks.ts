import type { OrderId, ProblemDocument, ScheduleId } from '@connecta/contracts';
import type pg from 'pg';
import type { IdempotentCreate } from '../idempotency/create-once.ts';
import { findAnswer, keepAnswer } from '../idempotency/kept-answer.ts';
import { insertOrdersOn, type NewOrder } from '../intake/insert-orders.ts';
import type { Store } from '../store.ts';
import { inTransaction } from '../workers/transaction.ts';
import type { ScheduleTick, TickState } from './schedule.ts';

/** A slot that is decided, with the order that goes with it. */
export interface NewTick {
  slot: Date;
  kind: ScheduleTick['kind'];
  state: TickState;
  reason?: string | undefined;
  problem?: ProblemDocument | undefined;
  order?: NewOrder | undefined;
}

/** Ticks of a schedule, newest first. */
export async function listTicks(
  store: Store,
  page: { scheduleId: ScheduleId; before: Date | undefined; state: TickState | undefined; limit: number },
): Promise<ScheduleTick[]> {
  const { rows } = await store.pool.query<ScheduleTick>({
    name: 'list_ticks',
    text: `SELECT t.slot, t.kind, t.state, t.order_id AS "orderId", o.state AS "orderState", t.reason, t.problem, t.at
           FROM schedule_ticks t LEFT JOIN orders o ON o.id = t.order_id
           WHERE t.schedule_id = $1 AND ($2::timestamptz IS NULL OR t.slot < $2) AND ($3::text IS NULL OR t.state = $3)
           ORDER BY t.slot DESC LIMIT $4`,
    values: [page.scheduleId, page.before ?? null, page.state ?? null, page.limit],
  });
  return rows;
}

/** Ticks of slots in a range (`to` excluded), oldest first. */
export async function findTicksBetween(
  store: Store,
  { scheduleId, from, to }: { scheduleId: ScheduleId; from: Date; to: Date },
): Promise<ScheduleTick[]> {
  const rows = await store.prisma.scheduleTick.findMany({
    where: { scheduleId, slot: { gte: from, lt: to } },
    orderBy: { slot: 'asc' },
  });
  return rows as unknown as ScheduleTick[];
}

/** What {@link recordTicks} was decided from: when that is not so any more, nothing is written. */
export interface TickGuard {
  id: ScheduleId;
  revision: number;
  nextAt: Date;
}

/**
 * Writes what became of slots, with their orders, in one transaction, and moves the schedule on to its next slot. False
 * when somebody else did so, or changed the schedule, meanwhile. A slot that has a tick already keeps it, and no second
 * order is made. With `replaces`, the orders that the clock placed before are marked ({@link findReplacedOrders}) when one
 * was made that takes their place: not for a slot that had a tick already.
 */
export function recordTicks(
  store: Store,
  guard: TickGuard,
  written: { ticks: readonly NewTick[]; nextAt: Date | null; replaces: boolean; problem: ProblemDocument | null },
): Promise<boolean> {
  return inTransaction(store, async (client) => {
    const { rowCount } = await client.query({
      name: 'lock_due_schedule',
      text: `SELECT FROM schedules WHERE id = $1 AND revision = $2 AND next_at = $3 AND NOT paused FOR UPDATE`,
      values: [guard.id, guard.revision, guard.nextAt],
    });
    if (rowCount === 0) return false;
    const placed = await insertTicks(client, guard.id, written.ticks);
    if (written.replaces && placed.length > 0) await markReplaced(client, guard.id, placed);
    await client.query({
      name: 'move_schedule',
      text: 'UPDATE schedules SET next_at = $2, problem = $3 WHERE id = $1',
      values: [guard.id, written.nextAt, json(written.problem)],
    });
    return true;
  });
}

/**
 * Fires a tick that waited, or says why it could not be; false when it no longer waits, or has to wait on. That is looked
 * at under the schedule's lock: of two replicas at once the second must see what the first has fired.
 */
export function fireQueuedTick(
  store: Store,
  scheduleId: ScheduleId,
  { slot, order, problem }: { slot: Date; order?: NewOrder | undefined; problem?: ProblemDocument | undefined },
): Promise<boolean> {
  return inTransaction(store, async (client) => {
    await client.query('SELECT FROM schedules WHERE id = $1 FOR UPDATE', [scheduleId]);
    const { rowCount } = await client.query({
      name: 'fire_queued_tick',
      text: `UPDATE schedule_ticks t SET state = $3, order_id = $4, problem = $5, settled = $4::uuid IS NULL, at = now()
             FROM schedules s WHERE t.schedule_id = $1 AND t.slot = $2 AND t.state = 'queued' AND s.id = $1
               AND NOT s.paused AND (s.overlap = 'allow' OR NOT EXISTS (
                 SELECT FROM schedule_ticks r
                 WHERE r.schedule_id = $1 AND NOT r.settled AND (r.kind = 'backfill') = (t.kind = 'backfill')))`,
      values: [scheduleId, slot, order ? 'fired' : 'failed', order?.id ?? null, json(problem)],
    });
    if (rowCount === 0) return false;
    if (order) await insertOrdersOn(client, [order]);
    await client.query({
      name: 'tell_problem',
      text: 'UPDATE schedules SET problem = $2 WHERE id = $1',
      values: [scheduleId, json(problem)],
    });
    return true;
  });
}

/** A tick that somebody asked for, in ISO times. */
export interface ManualTick {
  slot: string;
  orderId: OrderId;
  at: string;
}

/**
 * Places an order of a schedule beside its slots; the tick's slot is now, or the next millisecond that is free and that
 * `isSlot` does not know for a slot of the clock, which would be taken for decided. Null: there is no such schedule. A
 * repeat under the same key places nothing and brings the first tick. @throws IdempotencyMismatchError
 */
export function fireManualTick(
  store: Store,
  scheduleId: ScheduleId,
  { slot, order, by, isSlot }: { slot: Date; order: NewOrder; by: string; isSlot: (at: Date) => boolean },
  idempotency?: IdempotentCreate,
): Promise<ManualTick | null> {
  return inTransaction(store, async (client) => {
    const { rowCount } = await client.query('SELECT FROM schedules WHERE id = $1 FOR UPDATE', [scheduleId]);
    if (rowCount === 0) return null;
    const earlier = await findAnswer<ManualTick>(client, idempotency);
    if (earlier) return earlier;
    // An earlier call may stand at the very same millisecond.
    const { rows } = await client.query<{ slot: Date }>(
      `SELECT slot FROM schedule_ticks WHERE schedule_id = $1 AND slot >= $2 AND slot < $2 + interval '1 second'`,
      [scheduleId, slot],
    );
    const taken = new Set(rows.map((row) => row.slot.getTime()));
    let free = slot.getTime();
    while (taken.has(free) || isSlot(new Date(free))) free++;
    const tick: NewTick = { slot: new Date(free), kind: 'manual', state: 'fired', reason: `asked for by ${by}`, order };
    await insertTicks(client, scheduleId, [tick]);
    const fired: ManualTick = { slot: tick.slot.toISOString(), orderId: order.id, at: slot.toISOString() };
    await keepAnswer(client, idempotency, fired);
    return fired;
  });
}

/** Queues slots of the past: those without a tick, and those that did not come to an order. How many were queued. */
export function queueTicks(store: Store, scheduleId: ScheduleId, slots: readonly Date[], by: string): Promise<number> {
  return inTransaction(store, async (client) => {
    const { rowCount } = await client.query({
      name: 'queue_ticks',
      text: `INSERT INTO schedule_ticks AS t (schedule_id, slot, kind, state, reason)
             SELECT $1, slot, 'backfill', 'queued', $3 FROM unnest($2::timestamptz[]) slot
             ON CONFLICT (schedule_id, slot) DO UPDATE
               SET kind = 'backfill', state = 'queued', reason = $3, problem = NULL, at = now()
               WHERE t.state IN ('missed', 'skipped', 'failed')`,
      values: [scheduleId, slots.map((slot) => slot.toISOString()), `asked for by ${by}`],
    });
    return rowCount ?? 0;
  });
}

/** What somebody asked for by hand stays: a slot only takes the place of slots. */
async function markReplaced(client: pg.ClientBase, scheduleId: ScheduleId, placed: readonly OrderId[]): Promise<void> {
  await client.query({
    name: 'mark_replaced',
    text: `UPDATE schedule_ticks SET state = 'replaced', reason = 'a later slot took its place'
           WHERE schedule_id = $1 AND NOT settled AND state = 'fired' AND kind IN ('due', 'catch-up')
             AND NOT order_id = ANY($2::uuid[])`,
    values: [scheduleId, placed],
  });
}

/** The orders that were inserted with the ticks: those whose slots had none. */
async function insertTicks(
  client: pg.ClientBase,
  scheduleId: ScheduleId,
  ticks: readonly NewTick[],
): Promise<OrderId[]> {
  const { rows } = await client.query<{ orderId: OrderId | null }>({
    name: 'insert_ticks',
    text: `INSERT INTO schedule_ticks (schedule_id, slot, kind, state, order_id, reason, problem, settled)
           SELECT $1, x.slot, x.kind, x.state, x."orderId", x.reason, x.problem, x."orderId" IS NULL
           FROM json_to_recordset($2::json)
             x(slot timestamptz, kind text, state text, "orderId" uuid, reason text, problem jsonb)
           ON CONFLICT (schedule_id, slot) DO NOTHING RETURNING order_id AS "orderId"`,
    values: [scheduleId, JSON.stringify(ticks.map(({ order, ...tick }) => ({ ...tick, orderId: order?.id })))],
  });
  const written = new Set(rows.map(({ orderId }) => orderId));
  const orders = ticks.flatMap(({ order }) => (order && written.has(order.id) ? [order] : []));
  if (orders.length > 0) await insertOrdersOn(client, orders);
  return orders.map(({ id }) => id);
}

function json(value: object | null | undefined): string | null {
  return value ? JSON.stringify(value) : null;
}
