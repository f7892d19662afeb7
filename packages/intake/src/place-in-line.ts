import { createHash } from 'node:crypto';
import { Problem, type JsonValue, type WorkflowDefinition } from '@connecta/contracts';
import { Scope, evaluate } from '@connecta/domain';
import type { NewOrder } from '@connecta/store';

/** A longer key is kept as its hash. */
const MAX_KEY = 200;

type PlaceInLine = Pick<NewOrder, 'priority' | 'concurrencyKey' | 'concurrencyMax'>;

/** When an order's turn comes: its priority, and the key of which only so many run. A problem when there is no key. */
export function placeInLine(
  { name = '', priority, concurrency }: WorkflowDefinition,
  values: { input: JsonValue; params: { [name: string]: JsonValue } | undefined; client: string },
): PlaceInLine | Problem {
  const line: PlaceInLine = priority === undefined ? {} : { priority };
  if (!concurrency) return line;
  const { key, max } = concurrency;
  if (key === undefined) return { ...line, concurrencyKey: name, concurrencyMax: max };
  const place = 'concurrency.key';
  const result = evaluate(key, { scope: new Scope(values), place });
  if (!result.ok) {
    const { message, code } = result.error;
    return new Problem('invalid_input', `The workflow cannot tell the order's turn: ${message}`, {
      faults: [{ path: '/input', message, code }],
    });
  }
  const text = JSON.stringify(result.value);
  const short = text.length > MAX_KEY ? createHash('sha256').update(text).digest('hex') : text;
  return { ...line, concurrencyKey: `${name} ${short}`, concurrencyMax: max };
}
