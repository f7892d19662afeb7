import type { HistoryEvent, OrderState, StepState } from '@connecta/contracts';
import { jobMayMove, orderMayMove } from '@connecta/domain';

/** Replays a history; throws on an illegal move or a second accepted result. */
export function replay(events: readonly HistoryEvent[]): { order: string; steps: Record<string, StepState> } {
  let order: OrderState = 'accepted';
  const steps: Record<string, StepState> = {};
  for (const event of events) {
    if (event.type === 'order') {
      if (!orderMayMove(order, event.state)) throw new Error(`order: ${order} → ${event.state}`);
      order = event.state;
    } else if (event.type === 'step') steps[event.step] = event.state;
    else {
      const before = steps[event.step] ?? 'pending';
      if (before === 'blocked' || !jobMayMove(before, event.state))
        throw new Error(`${event.step}: ${before} → ${event.state}`);
      steps[event.step] = event.state;
    }
  }
  return { order, steps };
}
