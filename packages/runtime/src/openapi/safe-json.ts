import { MAX_JSON_DEPTH, Problem, type Fault, type JsonValue } from '@connecta/contracts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * Parses a JSON body that came from outside. The nesting is bounded by a scan of the bytes before anything recursive
 * sees them: 10 kB of `[` overflow validators and JSON.stringify. Refused as well is what could not be kept as it is:
 * NUL and lone surrogates (Postgres stores neither), numbers beyond a double, and `__proto__` as a name.
 *
 * @throws Problem json_too_deep, malformed_json or bad_request.
 */
export function parseSafeJson(bytes: Buffer, maxDepth: number = MAX_JSON_DEPTH): JsonValue {
  if (isTextDeeperThan(bytes, maxDepth)) {
    throw new Problem('json_too_deep', `JSON may be nested ${maxDepth} levels deep at most`);
  }
  const text = bytes.toString('utf8');
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new Problem('malformed_json', cause instanceof Error ? cause.message : 'The body is not JSON', { cause });
  }
  // The walk costs more than the parse, so it is taken only when the text has a trace of what it looks for.
  if (text.includes('\\u') || text.includes('__proto__') || HUGE_NUMBER.test(text)) {
    const faults = unstorableParts(value);
    if (faults.length > 0) throw new Problem('bad_request', 'The body holds what cannot be kept', { faults });
  }
  return value;
}

const HUGE_NUMBER = /[eE]\+?\d{3}|\d{309}/;

/** True when the JSON text nests deeper than `max`; it need not be valid JSON. */
function isTextDeeperThan(bytes: Buffer, max: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN_BRACKET || byte === OPEN_BRACE) {
      if (++depth > max) return true;
    } else if (byte === CLOSE_BRACKET || byte === CLOSE_BRACE) depth--;
  }
  return false;
}

/** Why a text cannot be stored; undefined when it can, or is no text. */
export function unstorableText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  if (value.includes('\0')) return 'holds a NUL character';
  return value.isWellFormed() ? undefined : 'holds half a surrogate pair';
}

function unstorableParts(root: JsonValue): Fault[] {
  const faults: Fault[] = [];
  const visit = (value: JsonValue, path: string): void => {
    if (typeof value === 'number' && !Number.isFinite(value)) faults.push({ path, message: 'is too large a number' });
    const message = unstorableText(value);
    if (message) faults.push({ path, message });
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      const below = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      const wrongName = key === '__proto__' ? 'is not allowed as a name' : unstorableText(key);
      if (wrongName) faults.push({ path, message: `a name in it ${wrongName}` });
      visit(item, below);
    }
  };
  visit(root, '');
  return faults.slice(0, 50);
}
