import type { JobError, JsonValue } from '@connecta/contracts';
import type { Evaluated } from '../expressions/evaluate.ts';

/** The most items of one list. */
export const MAX_ITEMS = 100_000;
/** How often a list may grow: what goes on without end is an error of its step. */
export const MAX_ROUNDS = 1000;

export interface ExtendedList {
  items: readonly JsonValue[];
  /** What items returned, in their order. */
  returned: readonly JsonValue[];
  /** How often the list has grown before. */
  rounds: number;
  /** The key of an item at an index; null: items have none. */
  keyOf: ((item: JsonValue, index: number) => Evaluated) | null;
  /** Where the list stands, for errors. */
  place: string;
}

/**
 * The items by which a list grows: of those that were returned, the ones that it does not have. Two are the same by their
 * keys or, without, when they are equal: an item that is computed again returns the same new ones again.
 */
export function extendList(list: ExtendedList): Evaluated<JsonValue[]> {
  const { items, returned, rounds, place } = list;
  const seen = new Set<JsonValue>();
  const added: JsonValue[] = [];
  for (const [index, item] of items.entries()) {
    const name = nameOf(list, item, index);
    if (!name.ok) return name;
    seen.add(name.value);
  }
  for (const item of returned) {
    const name = nameOf(list, item, items.length + added.length);
    if (!name.ok) return name;
    if (seen.has(name.value)) continue;
    seen.add(name.value);
    added.push(item);
  }
  const count = items.length + added.length;
  if (count > MAX_ITEMS) return failed('too_many_items', tooManyItems(place, count));
  if (added.length > 0 && rounds >= MAX_ROUNDS) {
    return failed('too_many_rounds', `${place} has grown ${MAX_ROUNDS} times, and would go on`);
  }
  return { ok: true, value: added };
}

/** What is told of a list that is too long. */
export function tooManyItems(place: string, count: number): string {
  return `${place} has ${count} items, more than ${MAX_ITEMS}`;
}

/**
 * True of an item that is related to one which it has not seen: that stands in the list behind those which were there when
 * the item was computed.
 */
export function isStale(related: { [relation: string]: readonly number[] }, seen: number): boolean {
  return Object.values(related).some((indexes) => indexes.some((index) => index >= seen));
}

function nameOf({ keyOf }: ExtendedList, item: JsonValue, index: number): Evaluated {
  return keyOf ? keyOf(item, index) : { ok: true, value: textOf(item) };
}

/** One text for equal values: object members in any order. */
function textOf(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function failed(code: 'too_many_items' | 'too_many_rounds', message: string): { ok: false; error: JobError } {
  return { ok: false, error: { kind: 'permanent', code, message } };
}
