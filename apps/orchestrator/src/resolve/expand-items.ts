import type { JobError, JsonValue } from '@connecta/contracts';
import { MAX_ITEMS, evaluateCondition, evaluateList, guardOf, tooManyItems } from '@connecta/domain';
import type { Store, WorkJob } from '@connecta/store';
import type { Chunk } from '../engine/draft/items.ts';
import { listOf, type Item, type List } from './list-of.ts';
import type { LoadedStep } from './load-step.ts';
import { ownerOf, prepareItems } from './prepare-items.ts';
import { withRelated } from './related-items.ts';
import type { Values } from './values.ts';

/** The most items of one transaction. */
export const CHUNK = 500;

/** How a head's items go on: further ones, none because the step is skipped, or the error that keeps it from having any. */
export type Expanded = { is: 'chunk'; chunk: Chunk } | { is: 'skip' } | { is: 'error'; error: JobError };

/** Evaluates a step's next items: first whether it has any at all, and their list. */
export async function expandItems(
  { store, values }: { store: Store; values: Values },
  loaded: LoadedStep,
  job: WorkJob,
): Promise<Expanded> {
  const isFirst = job.itemsTotal === null;
  const list = isFirst ? firstList(store, loaded, job) : listOf(store, job, loaded, await itemsOf(values, job));
  if ('is' in list) return list;
  const { items, itemAt, forEach } = list;
  const created = job.itemsCreated ?? 0;
  const room = Math.min(CHUNK, forEach.max - (created - (job.itemsDone ?? 0)));
  const chunk: Chunk = { created, total: items.length, items: [] };
  if (isFirst) chunk.list = await values.stored(items, ownerOf(job));
  const next: Item[] = [];
  for (let index = created; index < Math.min(items.length, created + room); index++) next.push(itemAt(index));
  chunk.items = await prepareItems({ store, values }, loaded, job, await withRelated(list, next));
  return { is: 'chunk', chunk };
}

/** The items of a head, which keeps their list. */
export async function itemsOf(
  values: Values,
  { input, clientId }: Pick<WorkJob, 'input' | 'clientId'>,
): Promise<JsonValue[]> {
  return (await values.contentOf(input, clientId)) as JsonValue[];
}

function firstList(store: Store, loaded: LoadedStep, job: WorkJob): List | Exclude<Expanded, { is: 'chunk' }> {
  const { step, scope } = loaded;
  const guard = guardOf(step);
  if (guard !== undefined) {
    const condition = evaluateCondition(guard, { scope, place: `steps.${job.step}.if` });
    if (!condition.ok) return { is: 'error', error: condition.error };
    if (!condition.value) return { is: 'skip' };
  }
  const place = `steps.${job.step}.forEach`;
  const items = evaluateList(step.forEach?.items ?? '[]', { scope, place });
  if (!items.ok) return { is: 'error', error: items.error };
  const { length } = items.value;
  if (length > MAX_ITEMS) return failed('too_many_items', tooManyItems(place, length));
  const list = listOf(store, job, loaded, items.value);
  return faultOfKeys(list) ?? list;
}

/** Two items of one key could not be told apart. */
function faultOfKeys({ items, itemAt, place }: List): { is: 'error'; error: JobError } | null {
  const seen = new Map<JsonValue, number>();
  for (let index = 0; index < items.length; index++) {
    const item = itemAt(index);
    if (!item.ok) return { is: 'error', error: item.error };
    const before = seen.get(item.each.key);
    if (before !== undefined) {
      const key = JSON.stringify(item.each.key).slice(0, 100);
      return failed('duplicate_key', `${place}.key: items ${before} and ${index} have the key ${key}`);
    }
    seen.set(item.each.key, index);
  }
  return null;
}

function failed(code: 'too_many_items' | 'duplicate_key', message: string): { is: 'error'; error: JobError } {
  return { is: 'error', error: { kind: 'permanent', code, message } };
}
