import type { JobError, JsonValue } from '@connecta/contracts';
import { evaluate, evaluateList, type PlannedForEach, type Scope } from '@connecta/domain';
import type { Store, WorkJob } from '@connecta/store';
import type { Chunk } from '../engine/draft/items.ts';
import { prepareStep, type Prepared } from '../engine/steps/prepareStep.ts';
import type { LoadedStep } from './loadStep.ts';
import { refuseForgedFiles } from './refuseForgedFiles.ts';
import { withRelated, type Item } from './relatedItems.ts';
import type { Values } from './values.ts';

/** The most items of one list, and of one transaction. */
const MAX_ITEMS = 100_000;
const CHUNK = 500;

/** Evaluates a step's next items; or the error that keeps the step from having any. */
export async function expandItems(
  { store, values }: { store: Store; values: Values },
  loaded: LoadedStep,
  job: WorkJob,
): Promise<{ chunk: Chunk } | { error: JobError }> {
  const forEach = loaded.step.forEach as PlannedForEach;
  const place = `steps.${job.step}.forEach`;
  const isFirst = job.itemsTotal === null;
  const list = isFirst
    ? evaluateList(forEach.items, { scope: loaded.scope, place })
    : { ok: true as const, value: (await values.contentOf(job.input, job.clientId)) as JsonValue[] };
  if (!list.ok) return { error: list.error };
  const items = list.value;
  if (items.length > MAX_ITEMS) {
    return { error: failed('too_many_items', `${place} has ${items.length} items, more than ${MAX_ITEMS}`) };
  }
  const itemAt = eachOf(loaded.scope, forEach, { items, place });
  const fault = isFirst ? faultOfKeys(items.length, itemAt, place) : null;
  if (fault) return { error: fault };
  const created = job.itemsCreated ?? 0;
  const room = Math.min(CHUNK, forEach.max - (created - (job.itemsDone ?? 0)));
  const chunk: Chunk = { created, total: items.length, items: [] };
  if (isFirst) chunk.list = await values.stored(items, ownerOf(job));
  const next: Item[] = [];
  for (let index = created; index < Math.min(items.length, created + room); index++) next.push(itemAt(index));
  const evaluated = await withRelated({ store, job, forEach, items, itemAt }, next);
  const begun = evaluated.map((item) => prepareItem(loaded, job, item));
  const checked = await refuseForgedFiles(store, { step: loaded.step, job }, begun);
  for (const [n, prepared] of checked.entries()) {
    const item = evaluated[n] as Item;
    const key = item.ok && forEach.key !== undefined ? { key: `${item.each.key as string | number}` } : {};
    chunk.items.push({ ...key, prepared: await withStoredInput(values, job, prepared) });
  }
  return { chunk };
}

/** An item with its key, as the expressions of its step see it. */
function eachOf(
  scope: Scope,
  { key: source }: PlannedForEach,
  { items, place }: { items: JsonValue[]; place: string },
): (index: number) => Item {
  return (index) => {
    const each = { item: items[index] as JsonValue, index, key: index as JsonValue, items };
    if (source === undefined) return { ok: true, each, scope: scope.withEach(each) };
    const key = evaluate(source, { scope: scope.withEach(each), place: `${place}.key` });
    if (!key.ok) return key;
    if (typeof key.value !== 'string' && typeof key.value !== 'number') {
      return { ok: false, error: failed('expression_failed', `${place}.key of item ${index} is no text or number`) };
    }
    const keyed = { ...each, key: key.value };
    return { ok: true, each: keyed, scope: scope.withEach(keyed) };
  };
}

/** Two items of one key could not be told apart. */
function faultOfKeys(count: number, itemAt: (index: number) => Item, place: string): JobError | null {
  const seen = new Map<JsonValue, number>();
  for (let index = 0; index < count; index++) {
    const item = itemAt(index);
    if (!item.ok) return item.error;
    const before = seen.get(item.each.key);
    if (before !== undefined) {
      const key = JSON.stringify(item.each.key).slice(0, 100);
      return failed('duplicate_key', `${place}.key: items ${before} and ${index} have the key ${key}`);
    }
    seen.set(item.each.key, index);
  }
  return null;
}

function prepareItem({ step }: LoadedStep, job: WorkJob, item: Item): Prepared {
  if (!item.ok) return { is: 'error', error: item.error };
  const { each, scope } = item;
  return prepareStep({ name: job.step, step, scope, defaultInput: () => each.item });
}

/** An input that is too large to travel inline travels as a blob. */
export async function withStoredInput(values: Values, job: WorkJob, prepared: Prepared): Promise<Prepared> {
  if (prepared.is !== 'begin') return prepared;
  return { ...prepared, input: await values.stored(prepared.input, ownerOf(job)) };
}

/** Whose blob a job's large value is. */
export function ownerOf({ clientId, id: jobId, createdBy }: WorkJob): Parameters<Values['stored']>[1] {
  return { clientId, jobId, createdBy };
}

function failed(code: 'expression_failed' | 'too_many_items' | 'duplicate_key', message: string): JobError {
  return { kind: 'permanent', code, message };
}
