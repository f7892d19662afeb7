import {
  INLINE_VALUE_BYTES,
  Problem,
  jsonBytes,
  type Fault,
  type FeApiOperations,
  type JsonValue,
} from '@connecta/contracts';
import { compileTimes, moveSlots, nextSlot, type ScheduleTimes, type Slots } from '@connecta/domain';
import { prepareScheduled, type ScheduledParts } from '@connecta/intake';
import type { OperationInput, OperationAnswer } from '@connecta/runtime';
import type { NewOrder, Schedule, ScheduleContent, ScheduleTick, WrittenTimes } from '@connecta/store';
import { isDeepStrictEqual } from 'node:util';

type Body = OperationInput<FeApiOperations['createSchedule']>['body'];
type View = OperationAnswer<FeApiOperations['getSchedule'], 200>;
type TickView = OperationAnswer<FeApiOperations['listTicks'], 200>['items'][number];

/** A schedule's content from a body, checked, with its slots. @throws Problem invalid_schedule, or that of its order */
export async function readContent(
  parts: ScheduledParts,
  body: Body,
  now: Date,
): Promise<{ content: ScheduleContent; slots: Slots }> {
  const times = timesOf(body, now);
  const slots = slotsOf(times);
  const order = body.order as { [member: string]: JsonValue };
  const { name, description = null, overlap = 'skip', missed = 'last', maxCatchUp, paused } = body;
  const content = { name, description, times, order, overlap, missed, maxCatchUp, paused };
  const said = ['workflow', 'tasks', 'steps', 'task'].filter((member) => member in order);
  if (said.length > 1) {
    const message = `only one of ${said.join(' and ')} can say what to run`;
    throw new Problem('bad_request', `The order is not valid: ${message}`, { faults: [{ path: '/order', message }] });
  }
  if (jsonBytes(order['input'] ?? null) > INLINE_VALUE_BYTES) {
    const message = `may have ${INLINE_VALUE_BYTES} bytes at most; store it as a blob and name its blobId`;
    throw new Problem('invalid_input', `The order's input ${message}`, { faults: [{ path: '/order/input', message }] });
  }
  await orderOf(parts, content, now);
  return { content, slots };
}

/** The schedule's order for a slot, checked. @throws Problem whatever is wrong with the order */
export async function orderOf(
  parts: ScheduledParts,
  schedule: Pick<ScheduleContent, 'name' | 'order'>,
  slot: Date,
): Promise<NewOrder> {
  const [made] = await prepareScheduled(parts, schedule, [slot]);
  if (made instanceof Problem) {
    const faults = made.faults.map((fault) => ({ ...fault, path: `/order${fault.path}` }));
    throw new Problem(made.code, made.message, { faults });
  }
  return made as NewOrder;
}

/** The slots of a schedule's times. @throws Problem invalid_schedule */
export function slotsOf(times: WrittenTimes): Slots {
  const compiled = compileTimes(readTimes(times));
  if (compiled.ok) return compiled.slots;
  throw invalid(compiled.faults);
}

/** What becomes of a schedule's slots when its times, or whether it is paused, change. @throws Problem invalid_schedule */
export function movedSlots(
  { times: before, nextAt }: Schedule,
  { times, paused }: Pick<ScheduleContent, 'times' | 'paused'>,
  now: Date,
): ReturnType<typeof moveSlots> {
  const after = paused ? null : slotsOf(times);
  return moveSlots({ now, nextAt, before: readTimes(before), after, same: isDeepStrictEqual(before, times) });
}

/** The next slot from now on; null while a schedule is paused. */
export function nextAtOf(slots: Slots, now: Date, paused: boolean): Date | null {
  return paused ? null : nextSlot(slots, now);
}

export function scheduleView(schedule: Schedule): View {
  const { id, name, description, times, order, overlap, missed, maxCatchUp, paused } = schedule;
  const { owner, nextAt, problem, createdBy, createdAt, updatedAt } = schedule;
  return {
    ...{ id, name, ...times, order, overlap, missed, maxCatchUp, paused, createdBy },
    ...(description === null ? {} : { description }),
    ...(owner === null ? {} : { owner }),
    ...(problem === null ? {} : { problem }),
    nextAt: nextAt && nextAt.toISOString(),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  } as View;
}

export function tickView({ slot, kind, state, orderId, orderState, reason, problem, at }: ScheduleTick): TickView {
  return {
    ...{ slot: slot.toISOString(), kind, state, at: at.toISOString() },
    ...(orderId === null ? {} : { orderId }),
    ...(orderState === null ? {} : { orderState }),
    ...(reason === null ? {} : { reason }),
    ...(problem === null ? {} : { problem }),
  } as TickView;
}

function readTimes(times: WrittenTimes): ScheduleTimes {
  return 'cron' in times ? times : { every: times.every, anchor: new Date(times.anchor) };
}

function timesOf({ cron, timeZone, every, anchor }: Body, now: Date): WrittenTimes {
  const faults: Fault[] = [];
  if ((cron === undefined) === (every === undefined)) {
    faults.push({ path: '', message: 'needs exactly one of cron and every' });
  }
  if (timeZone !== undefined && cron === undefined) faults.push({ path: '/timeZone', message: 'only goes with cron' });
  if (anchor !== undefined && every === undefined) faults.push({ path: '/anchor', message: 'only goes with every' });
  if (faults.length > 0) throw invalid(faults);
  if (every !== undefined) return { every, anchor: new Date(anchor ?? now).toISOString() };
  return { cron: cron ?? '', timeZone: timeZone ?? 'UTC' };
}

function invalid(faults: readonly Fault[]): Problem {
  const text = faults.map(({ path, message }) => `${path.slice(1)} ${message}`.trim()).join('; ');
  return new Problem('invalid_schedule', `The schedule is not valid: ${text}`, { faults });
}
