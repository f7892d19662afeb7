import type { OrderId, ProblemDocument, ScheduleId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { SCHEDULE_COLUMNS, type Schedule } from './schedule.ts';

/** A schedule with what is under way of it by the clock or by hand; a backfill goes its own way beside it. */
export interface ScheduleNow extends Schedule {
  /** Orders of it that have not ended. */
  running: number;
  /** Ticks that wait. */
  queued: number;
}

/** A schedule of which ticks wait that may go on: those of a backfill, or those of the clock. */
export interface WaitingSchedule extends Schedule {
  backfill: boolean;
}

/** How much is looked at, and what is left alone for now. */
export interface ScheduleTurn {
  limit: number;
  except: readonly ScheduleId[];
}

const NOW_COLUMNS = `${SCHEDULE_COLUMNS},
  (SELECT count(*)::int FROM schedule_ticks t
   WHERE t.schedule_id = s.id AND NOT t.settled AND t.kind <> 'backfill') AS running,
  (SELECT count(*)::int FROM schedule_ticks t
   WHERE t.schedule_id = s.id AND t.state = 'queued' AND t.kind <> 'backfill') AS queued`;

/** Schedules whose next slot has come, those that wait longest first. */
export async function findDueSchedules(
  store: Store,
  now: Date,
  { limit, except }: ScheduleTurn,
): Promise<ScheduleNow[]> {
  const { rows } = await store.pool.query<ScheduleNow>({
    name: 'find_due_schedules',
    text: `SELECT ${NOW_COLUMNS} FROM schedules s
           WHERE s.next_at <= $1 AND NOT s.paused AND NOT s.id = ANY($3::uuid[]) ORDER BY s.next_at LIMIT $2`,
    values: [now, limit, except],
  });
  return rows;
}

/**
 * Schedules of which a tick waits that may go on: nothing of the kind runs, or their orders may overlap. A schedule of
 * which both kinds may go on is there twice.
 */
export async function findWaitingSchedules(store: Store, { limit, except }: ScheduleTurn): Promise<WaitingSchedule[]> {
  const { rows } = await store.pool.query<WaitingSchedule>({
    name: 'find_waiting_schedules',
    text: `SELECT ${SCHEDULE_COLUMNS}, q.backfill FROM schedules s JOIN (
             SELECT DISTINCT schedule_id, kind = 'backfill' AS backfill FROM schedule_ticks WHERE state = 'queued') q
             ON q.schedule_id = s.id
           WHERE NOT s.paused AND NOT s.id = ANY($2::uuid[]) AND (s.overlap = 'allow' OR NOT EXISTS (
             SELECT FROM schedule_ticks t
             WHERE t.schedule_id = s.id AND NOT t.settled AND (t.kind = 'backfill') = q.backfill))
           ORDER BY s.id, q.backfill LIMIT $1`,
    values: [limit, except],
  });
  return rows;
}

/** The slots of a schedule that wait, of a backfill or of the clock, oldest first. */
export async function findQueuedSlots(store: Store, { id, backfill }: WaitingSchedule, limit: number): Promise<Date[]> {
  const { rows } = await store.pool.query<{ slot: Date }>({
    name: 'find_queued_slots',
    text: `SELECT slot FROM schedule_ticks
           WHERE schedule_id = $1 AND state = 'queued' AND (kind = 'backfill') = $2 ORDER BY slot LIMIT $3`,
    values: [id, backfill, limit],
  });
  return rows.map(({ slot }) => slot);
}

/** Notes of ticks that their orders have ended (or are gone). */
export async function settleTicks(store: Store): Promise<number> {
  const { rowCount } = await store.pool.query({
    name: 'settle_ticks',
    text: `UPDATE schedule_ticks t SET settled = true
           WHERE NOT t.settled AND NOT EXISTS (
             SELECT FROM orders o WHERE o.id = t.order_id AND o.state IN ('accepted', 'active'))`,
  });
  return rowCount ?? 0;
}

/** Says at a schedule why it could not even be looked at; what is decided about its next slot takes that back. */
export async function tellScheduleProblem(store: Store, id: ScheduleId, problem: ProblemDocument): Promise<void> {
  await store.pool.query({
    name: 'tell_schedule_problem',
    text: 'UPDATE schedules SET problem = $2 WHERE id = $1',
    values: [id, JSON.stringify(problem)],
  });
}

/** Orders that a later slot replaced and that still run: what is to be cancelled, also after a crash. */
export async function findReplacedOrders(store: Store, limit: number): Promise<OrderId[]> {
  const { rows } = await store.pool.query<{ orderId: OrderId }>({
    name: 'find_replaced_orders',
    text: `SELECT t.order_id AS "orderId" FROM schedule_ticks t JOIN orders o ON o.id = t.order_id
           WHERE NOT t.settled AND t.state = 'replaced' AND o.state IN ('accepted', 'active') LIMIT $1`,
    values: [limit],
  });
  return rows.map(({ orderId }) => orderId);
}
