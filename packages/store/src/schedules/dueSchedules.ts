import type { OrderId, ScheduleId } from '@connecta/contracts';
import type { Store } from '../store.ts';
import { SCHEDULE_COLUMNS, type Schedule } from './schedule.ts';

/** A schedule with what is under way of it. */
export interface ScheduleNow extends Schedule {
  /** Orders of it that have not ended. */
  running: number;
  /** Ticks that wait. */
  queued: number;
}

const NOW_COLUMNS = `${SCHEDULE_COLUMNS},
  (SELECT count(*)::int FROM schedule_ticks t WHERE t.schedule_id = s.id AND NOT t.settled) AS running,
  (SELECT count(*)::int FROM schedule_ticks t WHERE t.schedule_id = s.id AND t.state = 'queued') AS queued`;

/** Schedules whose next slot has come, those that wait longest first. */
export async function findDueSchedules(store: Store, now: Date, limit: number): Promise<ScheduleNow[]> {
  const { rows } = await store.pool.query<ScheduleNow>({
    name: 'find_due_schedules',
    text: `SELECT ${NOW_COLUMNS} FROM schedules s WHERE s.next_at <= $1 AND NOT s.paused ORDER BY s.next_at LIMIT $2`,
    values: [now, limit],
  });
  return rows;
}

/** Schedules of which a tick waits that may go on: nothing of them runs, or their orders may overlap. */
export async function findWaitingSchedules(store: Store, limit: number): Promise<ScheduleNow[]> {
  const { rows } = await store.pool.query<ScheduleNow>({
    name: 'find_waiting_schedules',
    text: `SELECT ${NOW_COLUMNS} FROM schedules s
           WHERE s.id IN (SELECT DISTINCT q.schedule_id FROM schedule_ticks q WHERE q.state = 'queued')
             AND NOT s.paused AND (s.overlap = 'allow' OR NOT EXISTS (
               SELECT FROM schedule_ticks t WHERE t.schedule_id = s.id AND NOT t.settled))
           ORDER BY s.id LIMIT $1`,
    values: [limit],
  });
  return rows;
}

/** The slots of a schedule that wait, oldest first. */
export async function findQueuedSlots(store: Store, scheduleId: ScheduleId, limit: number): Promise<Date[]> {
  const { rows } = await store.pool.query<{ slot: Date }>({
    name: 'find_queued_slots',
    text: `SELECT slot FROM schedule_ticks WHERE schedule_id = $1 AND state = 'queued' ORDER BY slot LIMIT $2`,
    values: [scheduleId, limit],
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
