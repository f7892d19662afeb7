import { CelScalar, celEnv, celFunc, celMethod, listType, type CelEnv, type CelFunc } from '@bufbuild/cel';
import { strings } from '@bufbuild/cel/ext';
import { concatLists } from './lists.ts';

/** No text of an expression gets longer, in UTF-16 units. */
const MAX_TEXT = 1_048_576;

const { BYTES, DOUBLE, DYN, INT, STRING } = CelScalar;
const LIST = listType(DYN);

/** Of the string functions, those that make a text no longer. */
const SAFE = new Set(['charAt', 'indexOf', 'lastIndexOf', 'lowerAscii', 'upperAscii', 'substring', 'trim']);

/**
 * What expressions may use: standard CEL and string functions. Whatever can make a text or list longer is bounded; and
 * numbers mix, for JSON does not tell 2 from 2.0.
 */
export const ENVIRONMENT: CelEnv = celEnv({
  funcs: [
    ...strings.filter(({ name }) => SAFE.has(name)),
    celFunc('_+_', [STRING, STRING], STRING, (left, right) => {
      assertText(left.length + right.length);
      return left + right;
    }),
    celFunc('_+_', [BYTES, BYTES], BYTES, () => {
      throw new TypeError('bytes cannot be joined');
    }),
    celFunc('_+_', [LIST, LIST], LIST, concatLists),
    celMethod('split', STRING, [STRING], LIST, function (separator) {
      return this.split(separator);
    }),
    celMethod('replace', STRING, [STRING, STRING], STRING, function (what, by) {
      return joined(this.split(what), by);
    }),
    celMethod('join', LIST, [], STRING, function () {
      return joined([...this], '');
    }),
    celMethod('join', LIST, [STRING], STRING, function (separator) {
      return joined([...this], separator);
    }),
    ...mixedArithmetic(),
  ],
});

/** Names that stand for types: `type(input) == string`. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...['int', 'uint', 'double', 'bool', 'string', 'bytes', 'list', 'map', 'null_type', 'type'],
]);

/** Operators that are no functions: the evaluator plans them itself. */
const OPERATORS = new Set(['_[_]', '_?_:_', '_&&_', '_||_', '@not_strictly_false']);

export function hasFunction(name: string): boolean {
  return OPERATORS.has(name) || ENVIRONMENT.funcs.find(name) !== undefined;
}

function mixedArithmetic(): CelFunc[] {
  const operations = {
    '_+_': (left, right) => left + right,
    '_-_': (left, right) => left - right,
    '_*_': (left, right) => left * right,
    '_/_': (left, right) => left / right,
  } as const satisfies Record<string, (left: number, right: number) => number>;
  return Object.entries(operations).flatMap(([name, apply]) => [
    celFunc(name, [INT, DOUBLE], DOUBLE, (left, right) => apply(Number(left), right)),
    celFunc(name, [DOUBLE, INT], DOUBLE, (left, right) => apply(left, Number(right))),
  ]);
}

function joined(parts: readonly unknown[], separator: string): string {
  let length = separator.length * Math.max(0, parts.length - 1);
  for (const part of parts) {
    if (typeof part !== 'string') throw new TypeError('only texts can be joined');
    length += part.length;
  }
  assertText(length);
  return parts.join(separator);
}

function assertText(length: number): void {
  if (length > MAX_TEXT) throw new RangeError(`a text of more than ${MAX_TEXT} characters`);
}
