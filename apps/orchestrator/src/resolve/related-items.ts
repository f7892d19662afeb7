import type { JobError, JsonValue } from '@connecta/contracts';
import { evaluateList } from '@connecta/domain';
import { readResultsOf } from '@connecta/store';
import type { Item, List } from './list-of.ts';

/** Where each key stands in a list: made once for a list, which is kept as long as it is at hand. */
const places = new WeakMap<readonly JsonValue[], Map<JsonValue, number>>();

/**
 * Gives items their relations: for each, the related items of the list with their results, as far as these have one by
 * now. Keys that no item has are left out. One query for all.
 */
export async function withRelated(list: List, chunk: readonly Item[]): Promise<Item[]> {
  const { store, job, forEach } = list;
  if (!forEach.related) return [...chunk];
  const relations = chunk.map((item) => (item.ok ? relationsOf(list, item) : item));
  const wanted = new Set<number>();
  for (const one of relations) {
    if (!one.ok) continue;
    for (const indexes of Object.values(one.indexes)) for (const index of indexes) wanted.add(index);
  }
  const numbers = [...wanted].map((index) => index + 1);
  const found = await readResultsOf(store, { orderId: job.orderId, step: job.step, items: numbers });
  const results = new Map(found.map(({ item, result }) => [item - 1, result]));
  return relations.map((one): Item => {
    if (!one.ok) return one;
    const view = Object.fromEntries(
      Object.entries(one.indexes).map(([name, indexes]) => [
        name,
        indexes.map((index) => viewOf(list, index, results)),
      ]),
    );
    const each = { ...one.item.each, related: view };
    return { ok: true, each, scope: one.item.scope.withEach(each) };
  });
}

/** What an item is related to, as places in the list; or the error of an expression that says it. */
export type Relations =
  | { ok: true; item: Extract<Item, { ok: true }>; indexes: { [relation: string]: number[] } }
  | { ok: false; error: JobError };

/** Evaluates what an item is related to. Keys that no item has are left out. */
export function relationsOf(list: List, item: Extract<Item, { ok: true }>): Relations {
  const places = placesOf(list);
  const indexes: { [relation: string]: number[] } = {};
  for (const [name, source] of Object.entries(list.forEach.related ?? {})) {
    const place = `${list.place}.related.${name}`;
    const keys = evaluateList(source, { scope: item.scope, place });
    if (!keys.ok) return keys;
    indexes[name] = keys.value.flatMap((key) => places.get(key) ?? []);
  }
  return { ok: true, item, indexes };
}

function placesOf({ items, itemAt }: List): Map<JsonValue, number> {
  const before = places.get(items);
  if (before) return before;
  const made = new Map<JsonValue, number>();
  for (let index = 0; index < items.length; index++) {
    const item = itemAt(index);
    if (item.ok) made.set(item.each.key, index);
  }
  places.set(items, made);
  return made;
}

function viewOf({ itemAt }: List, index: number, results: ReadonlyMap<number, JsonValue>): JsonValue {
  const other = itemAt(index);
  if (!other.ok) return null;
  const { key, item } = other.each;
  const result = results.get(index);
  return { key, index, item, ...(result === undefined ? {} : { result }) };
}
