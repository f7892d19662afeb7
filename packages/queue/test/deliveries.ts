import { setTimeout as delay } from 'node:timers/promises';
import { deliveryId, newId, type JobId, type ProfileId, type WorkerEvent } from '@connecta/contracts';
import type { Delivery, EventBatch, EventReader } from '../src/index.ts';

/** A delivery with a job of its own. */
export function delivery(value = 5, jobId = newId<JobId>()): Delivery {
  const profileId = newId<ProfileId>();
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  return {
    id: deliveryId(jobId, 1),
    name: 'math.add',
    data: { value, profileId, profileRevision: 1, lease: 'lease', traceparent },
  };
}

export function deliveries(count: number): Delivery[] {
  return Array.from({ length: count }, (_none, at) => delivery(at));
}

export function completed(value: number): WorkerEvent {
  const jobId = newId<JobId>();
  return { type: 'completed', jobId, attempt: 1, lease: 'l', instance: 'i', at: new Date().toISOString(), value };
}

/** The values in a batch of completed reports. */
export function valuesOf(batch: EventBatch): unknown[] {
  return batch.events.map(({ body }) => (body as { value: unknown }).value);
}

/** Reads and acknowledges until `count` different values came; all that came. */
export async function readValues(reader: EventReader, count: number, withinMs = 60_000): Promise<unknown[]> {
  const values: unknown[] = [];
  const until = Date.now() + withinMs;
  while (new Set(values).size < count && Date.now() < until) {
    const batch = await reader.read({ max: 1_000, blockMs: 200 });
    values.push(...valuesOf(batch));
    await batch.ack();
  }
  return values;
}

/** Waits until the condition holds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 60_000,
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await delay(20);
  }
}
