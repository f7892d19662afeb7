import { Problem, type JsonValue } from '@connecta/contracts';
import type { z } from 'zod';

/** One page of a list: `nextCursor` is null on the last. */
export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** A cursor that says nothing to its holder: base64url of the last item's place. */
export function encodeCursor(place: JsonValue): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws Problem bad_request when the cursor was not made by {@link encodeCursor} for this list. */
export function decodeCursor<Schema extends z.ZodType>(cursor: string, schema: Schema): z.output<Schema> {
  try {
    const read = schema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
    if (read.success) return read.data;
  } catch {
    // Not JSON: the same fault as a place of the wrong shape.
  }
  throw new Problem('bad_request', 'The cursor is not one of this list', {
    faults: [{ path: 'query:cursor', message: 'must be the nextCursor of an earlier page' }],
  });
}

/** Makes a page of at most `limit` items from rows that were asked for with `limit + 1`. */
export function toPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  map: { item: (row: Row) => Item; place: (row: Row) => JsonValue },
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(map.item),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(map.place(last)) : null,
  };
}
