import { Problem, isId, type ClientId, type JsonValue } from '@connecta/contracts';
import type { NewOrder } from '@connecta/store';
import type { Intake } from './intake.ts';
import type { IntakeRequest } from './requests.ts';

/** What a schedule says of its orders. */
export interface ScheduledOrders {
  name: string;
  /** As for an order, with its `client`. */
  order: { [member: string]: JsonValue };
}

/** The client whose orders they are when nobody says. */
const DEFAULT_CLIENT = 'default';

/**
 * The orders of a schedule for some slots, each checked like any other order and not yet inserted, or the problem that
 * it has. `params.scheduledAt` is the slot.
 */
export async function prepareScheduled(
  parts: { intake: Intake; newTraceparent: () => string },
  { name, order }: ScheduledOrders,
  slots: readonly Date[],
): Promise<(NewOrder | Problem)[]> {
  const { client, params, ...request } = order;
  const ref = typeof client === 'string' ? client : DEFAULT_CLIENT;
  const requests = slots.map((slot): IntakeRequest => ({
    // A copy each: intake completes the blob references inside.
    order: structuredClone({ ...request, params: { ...(params as object), scheduledAt: slot.toISOString() } }),
    client: isId(ref) ? { id: ref as ClientId } : { name: ref },
    createdBy: `schedule:${name}`,
    traceparent: parts.newTraceparent(),
    mayNameFiles: true,
  }));
  try {
    return await parts.intake.prepare(requests);
  } catch (error) {
    if (error instanceof Problem) return slots.map(() => error);
    throw error;
  }
}
