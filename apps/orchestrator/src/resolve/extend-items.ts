import { isBlobRef, type ClientId, type JobError, type JsonValue, type NewItems } from '@connecta/contracts';
import { NO_EXTENSION, extendList } from '@connecta/domain';
import { findReturnedItems, type Store, type WorkJob } from '@connecta/store';
import type { Growth } from '../engine/draft/growing.ts';
import { CHUNK, itemsOf } from './expand-items.ts';
import { listOf } from './list-of.ts';
import type { LoadedStep } from './load-step.ts';
import { ownerOf } from './prepare-items.ts';
import type { Values } from './values.ts';

/** Finds out how a list grows by what its items returned. */
export async function extendItems(
  { store, values }: { store: Store; values: Values },
  loaded: LoadedStep,
  job: WorkJob,
): Promise<{ growth: Growth } | { error: JobError }> {
  const { orderId, step } = job;
  const returned = await findReturnedItems(store, { orderId, step, limit: CHUNK });
  const { items, keyOf, place } = listOf(store, job, loaded, await itemsOf(values, job));
  const found: JsonValue[] = [];
  for (const { item, newItems } of returned) {
    const content = await contentOf(values, newItems, job.clientId);
    if (!content) return { error: noList(`${place}: what item ${item} returned as new items is no list`) };
    for (const one of content) found.push(one);
  }
  const { rounds } = job.itemsExtension ?? NO_EXTENSION;
  const added = extendList({ items, returned: found, rounds, keyOf, place });
  if (!added.ok) return { error: added.error };
  const growth: Growth = { total: items.length, taken: returned, added: added.value.length };
  if (growth.added > 0) growth.list = await values.stored([...items, ...added.value], ownerOf(job));
  return { growth };
}

async function contentOf(values: Values, newItems: NewItems, clientId: ClientId): Promise<JsonValue[] | null> {
  const content = isBlobRef(newItems) ? await values.contentOf(newItems, clientId) : newItems;
  return Array.isArray(content) ? content : null;
}

function noList(message: string): JobError {
  return { kind: 'permanent', code: 'invalid_output', message };
}
