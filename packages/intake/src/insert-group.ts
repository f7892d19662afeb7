import type { JsonValue } from '@connecta/contracts';
import { insertOrders, type NewOrder, type Store } from '@connecta/store';
import type { IdempotencyKey, Outcome } from './requests.ts';

/** The orders of one call, with what is answered when they are committed. */
export interface Insertion {
  orders: NewOrder[];
  outcomes: Outcome[];
  idempotency: IdempotencyKey | undefined;
  /** The state of the facts that they were prepared from; null: it is not asked about. */
  generation: string | null;
}

/**
 * What became of an insertion. `taken`: its key was; `stale`: the facts have changed; an error is what Postgres refused
 * of it.
 */
export type Inserted = 'inserted' | 'taken' | 'stale' | Error;

/** Inserts a group; of several under one key the first one, the others look again. */
export async function insertGroup(store: Store, group: readonly Insertion[]): Promise<Inserted[]> {
  const names = new Set<string>();
  const chosen = group.filter(({ idempotency }) => {
    if (!idempotency) return true;
    const name = nameOf(idempotency);
    if (names.has(name)) return false;
    names.add(name);
    return true;
  });
  const results = new Map<Insertion, Inserted>();
  // One but for the moment after a change: a statement confirms one generation.
  for (const generation of new Set(chosen.map((insertion) => insertion.generation))) {
    const alike = chosen.filter((insertion) => insertion.generation === generation);
    for (const [insertion, result] of await insertAlike(store, generation, alike)) results.set(insertion, result);
  }
  return group.map((insertion) => results.get(insertion) ?? 'taken');
}

async function insertAlike(
  store: Store,
  generation: string | null,
  alike: readonly Insertion[],
): Promise<Map<Insertion, Inserted>> {
  try {
    const inserted = await insertOrders(store, {
      generation,
      orders: alike.flatMap(({ orders }) => orders),
      keys: alike.flatMap(({ idempotency, outcomes }) =>
        idempotency ? [{ ...idempotency, answer: stored(outcomes) }] : [],
      ),
    });
    if (inserted.state === 'stale') return new Map(alike.map((insertion) => [insertion, 'stale']));
    const freeNames = new Set(inserted.freeKeys.map(nameOf));
    const isTaken = ({ idempotency }: Insertion): boolean =>
      idempotency !== undefined && !freeNames.has(nameOf(idempotency));
    return new Map(alike.map((insertion) => [insertion, isTaken(insertion) ? 'taken' : 'inserted']));
  } catch (error) {
    // Data that Postgres refuses must not take down the orders that it happens to travel with.
    if (!isRefusedData(error)) throw error;
    const [only, ...others] = alike;
    if (only && others.length === 0) return new Map([[only, error]]);
    const results = new Map<Insertion, Inserted>();
    for (const one of alike)
      for (const [insertion, result] of await insertAlike(store, generation, [one])) results.set(insertion, result);
    return results;
  }
}

function stored(outcomes: readonly Outcome[]): JsonValue {
  return outcomes.map((outcome) =>
    outcome.ok ? { id: outcome.id } : { problem: outcome.problem.toDocument() as { [name: string]: JsonValue } },
  );
}

function nameOf({ scope, key }: { scope: string; key: string }): string {
  return `${key} ${scope}`;
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity violation). */
function isRefusedData(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && /^2[23]...$/.test(String(error.code));
}
