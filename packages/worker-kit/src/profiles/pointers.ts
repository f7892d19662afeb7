import type { JsonValue } from '@connecta/contracts';

/** The settings of a profile: always a JSON object. */
export type Settings = { [name: string]: JsonValue };

/** What stands at a JSON pointer (RFC 6901); undefined when nothing does. */
export function valueAt(root: JsonValue, pointer: string): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const token of tokensOf(pointer)) value = childOf(value, token);
  return value;
}

/** Puts a value where the pointer says, in place; false when there is no object, or no such array item, to put it into. */
export function putAt(root: JsonValue, pointer: string, value: JsonValue): boolean {
  const { parent, last } = parentOf(root, pointer);
  if (Array.isArray(parent)) {
    if (Number(last) >= parent.length) return false;
    parent[Number(last)] = value;
  } else if (typeof parent === 'object' && parent !== null) parent[last] = value;
  else return false;
  return true;
}

/** Takes away what stands at a pointer, in place; in an array, `null` is left so that its neighbours stay where they are. */
export function removeAt(root: JsonValue, pointer: string): void {
  const { parent, last } = parentOf(root, pointer);
  if (Array.isArray(parent)) parent[Number(last)] = null;
  else if (typeof parent === 'object' && parent !== null) Reflect.deleteProperty(parent, last);
}

function parentOf(root: JsonValue, pointer: string): { parent: JsonValue | undefined; last: string } {
  const tokens = tokensOf(pointer);
  const last = tokens.pop() ?? '';
  let parent: JsonValue | undefined = root;
  for (const token of tokens) parent = childOf(parent, token);
  return { parent, last };
}

function childOf(value: JsonValue | undefined, token: string): JsonValue | undefined {
  if (Array.isArray(value)) return value[Number(token)];
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.hasOwn(value, token) ? value[token] : undefined;
}

function tokensOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}
