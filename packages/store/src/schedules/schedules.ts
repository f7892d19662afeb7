import { newId, type ScheduleId } from '@connecta/contracts';
import type { TickDecision } from '@connecta/domain';
import { NameTakenError } from '../clients/clients.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { createOnce, isUniqueViolation, type IdempotentCreate } from '../idempotency/create-once.ts';
import type { Store } from '../store.ts';
import type { Schedule, ScheduleContent } from './schedule.ts';

/** Schedules by name, from behind a name on. */
export async function listSchedules(
  store: Store,
  page: { after: string | undefined; limit: number },
): Promise<Schedule[]> {
  const rows = await store.prisma.schedule.findMany({
    ...(page.after === undefined ? {} : { where: { name: { gt: page.after } } }),
    orderBy: { name: 'asc' },
    take: page.limit,
  });
  return rows.map(toSchedule);
}

export async function findSchedule(store: Store, id: ScheduleId): Promise<Schedule | null> {
  const row = await store.prisma.schedule.findUnique({ where: { id } });
  return row && toSchedule(row);
}

/** @throws NameTakenError; IdempotencyMismatchError */
export async function createSchedule(
  store: Store,
  made: { content: ScheduleContent; nextAt: Date | null; createdBy: string },
  idempotency?: IdempotentCreate,
): Promise<{ schedule: Schedule; repeated: boolean }> {
  const { content, nextAt, createdBy } = made;
  try {
    const { made: schedule, repeated } = await createOnce(store, idempotency, {
      create: async (tx) =>
        toSchedule(await tx.schedule.create({ data: { id: newId(), ...columnsOf(content), nextAt, createdBy } })),
      idOf: (created) => created.id,
      find: (id) => findSchedule(store, id as ScheduleId),
    });
    return { schedule, repeated };
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(content.name, { cause: error }) : error;
  }
}

/** What a schedule becomes, with the slots that were due and that nothing will look at any more. */
export type ScheduleChange = Partial<ScheduleContent> & { nextAt: Date | null; passed: readonly TickDecision[] };

/**
 * Writes a schedule under its row lock, with what becomes of its slots: `change` says what, and throws when it may not be
 * changed. Null: there is none. @throws NameTakenError
 */
export async function changeSchedule(
  store: Store,
  id: ScheduleId,
  change: (current: Schedule) => ScheduleChange,
): Promise<Schedule | null> {
  let name = '';
  try {
    return await store.prisma.$transaction(async (tx) => {
      const current = await lockSchedule(tx, id);
      if (!current) return null;
      const { nextAt, passed, ...content } = change(current);
      name = content.name ?? '';
      const ticks = passed.map((tick) => ({ scheduleId: id, ...tick }));
      await tx.scheduleTick.createMany({ data: ticks, skipDuplicates: true });
      const data = { ...columnsOf({ ...current, ...content }), nextAt, revision: current.revision + 1 };
      const changed = toSchedule(await tx.schedule.update({ where: { id }, data }));
      await endBlobs(tx, current);
      return changed;
    });
  } catch (error) {
    throw isUniqueViolation(error) ? new NameTakenError(name, { cause: error }) : error;
  }
}

/** Deletes a schedule with its ticks; false: there is none. `check` throws when it may not go. */
export function deleteSchedule(store: Store, id: ScheduleId, check: (current: Schedule) => void): Promise<boolean> {
  return store.prisma.$transaction(async (tx) => {
    const current = await lockSchedule(tx, id);
    if (!current) return false;
    check(current);
    await tx.schedule.delete({ where: { id } });
    await endBlobs(tx, current);
    return true;
  });
}

/** The time of blobs that a schedule named, where it was over, ends now: orders that it placed may still be under way. */
async function endBlobs(tx: Prisma.TransactionClient, { order }: Schedule): Promise<void> {
  const ids = JSON.stringify(order).match(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? [];
  if (ids.length === 0) return;
  await tx.$executeRaw`UPDATE blobs SET expires_at = now() WHERE id = ANY(${ids}::uuid[]) AND expires_at < now()`;
}

/** The database's clock, which all timers go by. */
export async function readClock(store: Store): Promise<Date> {
  const { rows } = await store.pool.query<{ now: Date }>({ name: 'read_clock', text: 'SELECT now()' });
  return (rows[0] as { now: Date }).now;
}

async function lockSchedule(tx: Prisma.TransactionClient, id: ScheduleId): Promise<Schedule | null> {
  await tx.$queryRaw`SELECT FROM schedules WHERE id = ${id}::uuid FOR UPDATE`;
  const row = await tx.schedule.findUnique({ where: { id } });
  return row && toSchedule(row);
}

type Columns = Omit<ScheduleContent, 'times' | 'order'> & {
  times: Prisma.InputJsonObject;
  order: Prisma.InputJsonObject;
};

function columnsOf(content: ScheduleContent): Columns {
  const { name, description, times, order, overlap, missed, maxCatchUp, paused } = content;
  return { name, description, times, order: order, overlap, missed, maxCatchUp, paused };
}

function toSchedule(row: Prisma.ScheduleGetPayload<object>): Schedule {
  return row as unknown as Schedule;
}
