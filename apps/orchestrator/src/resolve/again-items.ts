import { isStale } from '@connecta/domain';
import { findEarlierItems, type EndedItem, type Store, type WorkJob } from '@connecta/store';
import type { Again } from '../engine/draft/growing.ts';
import { CHUNK, itemsOf } from './expand-items.ts';
import { listOf, type List } from './list-of.ts';
import type { LoadedStep } from './load-step.ts';
import { prepareItems } from './prepare-items.ts';
import { relationsOf, withRelated } from './related-items.ts';
import type { Values } from './values.ts';

const PAGE = 2000;
/** Keys that the history tells of, for each item that is computed again. */
const SHOWN_KEYS = 10;

interface StaleItem extends EndedItem {
  relatedTo: string[];
}

/** Evaluates anew the items that are related to some which their list did not have when they were computed. */
export async function againItems(
  { store, values }: { store: Store; values: Values },
  loaded: LoadedStep,
  job: WorkJob,
): Promise<Again> {
  const list = listOf(store, job, loaded, await itemsOf(values, job));
  const total = list.items.length;
  const stale = await findStale(list);
  const done = job.itemsDone ?? 0;
  const inFlight = (job.itemsCreated ?? 0) - done;
  const next = stale.slice(0, Math.max(Math.min(CHUNK, list.forEach.max - inFlight), 0));
  const again: Again = { total, done, items: [], left: stale.length - next.length };
  const items = await withRelated(
    list,
    next.map(({ item }) => list.itemAt(item - 1)),
  );
  const prepared = await prepareItems({ store, values }, loaded, job, items);
  for (const [at, { id, attempt, relatedTo }] of next.entries()) {
    const item = prepared[at];
    if (item) again.items.push({ id, attempt, relatedTo, ...item });
  }
  return again;
}

async function findStale(list: List): Promise<StaleItem[]> {
  const { store, items, job } = list;
  const stale: StaleItem[] = [];
  for (let after = 0; ;) {
    const page = await findEarlierItems(store, { ...job, total: items.length, after, limit: PAGE });
    for (const ended of page) {
      const relatedTo = unseenBy(list, ended);
      if (relatedTo) stale.push({ ...ended, relatedTo });
    }
    const last = page.at(-1);
    if (!last || page.length < PAGE) return stale;
    after = last.item;
  }
}

/** The keys of related items that an item has not seen; null when it has seen all. What fails now, ends as it begins. */
function unseenBy(list: List, { item: number, seen }: EndedItem): string[] | null {
  const item = list.itemAt(number - 1);
  const relations = item.ok ? relationsOf(list, item) : item;
  if (!relations.ok) return [];
  if (!isStale(relations.indexes, seen)) return null;
  const unseen = new Set(
    Object.values(relations.indexes).flatMap((indexes) => indexes.filter((index) => index >= seen)),
  );
  return [...unseen].slice(0, SHOWN_KEYS).flatMap((index) => {
    const other = list.itemAt(index);
    return other.ok ? [`${other.each.key as string | number}`] : [];
  });
}
