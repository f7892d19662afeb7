import { Problem, type FeApiOperations } from '@connecta/contracts';
import { slotsBetween } from '@connecta/domain';
import type { OperationAnswer, OperationInput } from '@connecta/runtime';
import { findTicksBetween, queueTicks, readClock, type Schedule, type Store } from '@connecta/store';
import { slotsOf } from './schedule-content.ts';

type Body = OperationInput<FeApiOperations['backfillSchedule']>['body'];
type Backfill = OperationAnswer<FeApiOperations['backfillSchedule'], 200>;

const MAX_SLOTS = 1000;
/** Ticks in these states have, or will have, their order. */
const KEPT = ['fired', 'queued', 'replaced'];

/** Queues the slots of a range that have not come to an order, or tells which those are. @throws Problem bad_request, conflict */
export async function backfill(
  store: Store,
  { schedule, body, by }: { schedule: Schedule; body: Body; by: string },
): Promise<Backfill> {
  if (schedule.paused)
    throw new Problem('conflict', 'The schedule is paused: nothing of it would run; resume it first');
  const [from, to] = [new Date(body.from), new Date(body.to)];
  if (from >= to) throw wrong('/to', 'must be later than from');
  if (to > (await readClock(store))) throw wrong('/to', 'must not lie in the future: those slots come by themselves');
  const slots = slotsBetween(slotsOf(schedule.times), from, to, MAX_SLOTS + 1);
  if (slots.length > MAX_SLOTS) throw wrong('/from', `the range holds more than ${MAX_SLOTS} slots`);
  const ticks = await findTicksBetween(store, { scheduleId: schedule.id, from, to });
  const known = new Map(ticks.map((tick) => [tick.slot.getTime(), tick]));
  const items = slots.map((slot) => {
    const tick = known.get(slot.getTime());
    return {
      slot: slot.toISOString(),
      action: tick && KEPT.includes(tick.state) ? ('keep' as const) : ('queue' as const),
      ...(tick ? { state: tick.state } : {}),
      ...(tick?.orderId ? { orderId: tick.orderId } : {}),
    };
  });
  const chosen = slots.filter((_slot, i) => items[i]?.action === 'queue');
  if (body.dryRun) return { dryRun: true, queued: chosen.length, items };
  return { dryRun: false, queued: await queueTicks(store, schedule.id, chosen, by), items };
}

function wrong(path: string, message: string): Problem {
  return new Problem('bad_request', `The range is not valid: ${path.slice(1)} ${message}`, {
    faults: [{ path, message }],
  });
}
