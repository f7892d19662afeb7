import { Problem, isId, type ClientId, type JsonValue } from '@connecta/contracts';
import { SLOT_PARAM } from '@connecta/domain';
import type { NewOrder, Store } from '@connecta/store';
import type { Intake } from './intake.ts';
import type { IntakeRequest } from './requests.ts';
import { planTaskInvocation } from './tasks/invoke-task.ts';

/** What a schedule says of its orders. */
export interface ScheduledOrders {
  name: string;
  /** As for an order, with its `client`; or with a `task` to invoke. */
  order: { [member: string]: JsonValue };
}

export interface ScheduledParts {
  store: Store;
  intake: Intake;
  newTraceparent: () => string;
}

/** The client whose orders they are when nobody says. */
const DEFAULT_CLIENT = 'default';

/**
 * The orders of a schedule for some slots, each checked like any other order and not yet inserted, or the problem that
 * it has. `params.scheduledAt` is the slot.
 */
export async function prepareScheduled(
  parts: ScheduledParts,
  schedule: ScheduledOrders,
  slots: readonly Date[],
): Promise<(NewOrder | Problem)[]> {
  try {
    const requests: IntakeRequest[] = [];
    for (const slot of slots) requests.push(await requestOf(parts, schedule, slot));
    return await parts.intake.prepare(requests);
  } catch (error) {
    if (error instanceof Problem) return slots.map(() => error);
    throw error;
  }
}

async function requestOf(
  { store, newTraceparent }: ScheduledParts,
  { name, order }: ScheduledOrders,
  slot: Date,
): Promise<IntakeRequest> {
  const { client: named, params: given, task, ...request } = order;
  const ref = typeof named === 'string' ? named : DEFAULT_CLIENT;
  const client = isId(ref) ? { id: ref as ClientId } : { name: ref };
  const params = { ...(given as { [name: string]: JsonValue } | undefined), [SLOT_PARAM]: slot.toISOString() };
  const placed =
    typeof task === 'string'
      ? (await planTaskInvocation(store, { task, client, input: request['input'], params })).order
      : { ...request, params };
  return {
    // A copy each: intake completes the blob references inside.
    ...{ order: structuredClone(placed), client, createdBy: `schedule:${name}` },
    ...{ traceparent: newTraceparent(), mayNameFiles: true },
  };
}
