import type { JobError, JsonValue } from '@connecta/contracts';
import { evaluate, type EachView, type Evaluated, type PlannedForEach, type Scope } from '@connecta/domain';
import type { Store, WorkJob } from '@connecta/store';
import type { LoadedStep } from './load-step.ts';

/** An item with what its step's expressions see of it. */
export type Item = { ok: true; each: EachView; scope: Scope } | { ok: false; error: JobError };

/** The list of a step's items. */
export interface List {
  store: Store;
  job: Pick<WorkJob, 'orderId' | 'step'>;
  forEach: PlannedForEach;
  /** Where it stands, for errors. */
  place: string;
  items: JsonValue[];
  itemAt: (index: number) => Item;
  /** The key of what stands at an index, or is to stand there; null: items have none. */
  keyOf: ((item: JsonValue, index: number) => Evaluated) | null;
}

/** A list of items with their keys, as the expressions of its step see them. */
export function listOf(
  store: Store,
  job: List['job'],
  { step, scope }: Pick<LoadedStep, 'step' | 'scope'>,
  items: JsonValue[],
): List {
  const forEach = step.forEach as PlannedForEach;
  const place = `steps.${job.step}.forEach`;
  const { key: source } = forEach;
  const keyOf = source === undefined ? null : keysBy(source, { scope, place, items });
  const itemAt = (index: number): Item => {
    const item = items[index] as JsonValue;
    const key: Evaluated = keyOf ? keyOf(item, index) : { ok: true, value: index };
    if (!key.ok) return key;
    const each = { item, index, key: key.value, items };
    return { ok: true, each, scope: scope.withEach(each) };
  };
  return { store, job, forEach, place, items, itemAt, keyOf };
}

function keysBy(
  source: string,
  { scope, place, items }: { scope: Scope; place: string; items: JsonValue[] },
): NonNullable<List['keyOf']> {
  return (item, index) => {
    const each = { item, index, key: index, items };
    const key = evaluate(source, { scope: scope.withEach(each), place: `${place}.key` });
    if (!key.ok || typeof key.value === 'string' || typeof key.value === 'number') return key;
    const message = `${place}.key of item ${index} is no text or number`;
    return { ok: false, error: { kind: 'permanent', code: 'expression_failed', message } };
  };
}
