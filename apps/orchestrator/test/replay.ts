import type { HistoryEvent, OrderState, StepState } from '@connecta/contracts';
import { jobMayMove, orderMayMove } from '@connecta/domain';

/** What a history says: the states of the order, its steps and its items, and how far its lists of items are. */
export interface Replayed {
  order: string;
  steps: Record<string, StepState>;
}

/** Numbers of the items of a step. */
export interface ItemCounts {
  total: number;
  created: number;
  done: number;
  failed: number;
}

/** Replays a history; throws on an illegal move or a second accepted result. */
export function replay(events: readonly HistoryEvent[]): Replayed {
  const { order, steps } = replayItems(events);
  return { order, steps };
}

/** Replays a history with the items of its lists, each by `step[item]`. */
export function replayItems(
  events: readonly HistoryEvent[],
): Replayed & { items: Record<string, StepState>; counts: Record<string, ItemCounts> } {
  let order: OrderState = 'accepted';
  const steps: Record<string, StepState> = {};
  const items: Record<string, StepState> = {};
  const counts: Record<string, ItemCounts> = {};
  for (const event of events) {
    if (event.type === 'order') {
      if (!orderMayMove(order, event.state)) throw new Error(`order: ${order} → ${event.state}`);
      order = event.state;
    } else if (event.type === 'step') {
      if (event.state === 'pending') Reflect.deleteProperty(steps, event.step);
      else steps[event.step] = event.state;
    } else if (event.type === 'items') {
      const { total, created, done, failed } = event;
      counts[event.step] = { total, created, done, failed };
    } else {
      const [states, name] = event.item === undefined ? [steps, event.step] : [items, `${event.step}[${event.item}]`];
      const before = states[name] ?? 'pending';
      if (before === 'blocked' || !jobMayMove(before, event.state))
        throw new Error(`${name}: ${before} → ${event.state}`);
      states[name] = event.state;
    }
  }
  return { order, steps, items, counts };
}
