import { describe, expect, test } from '@jest/globals';
import type { JsonValue, Template } from '@connecta/contracts';
import { compileExpression } from './compile.ts';
import {
  evaluate,
  evaluateCondition,
  evaluateList,
  evaluateTemplate,
  referencesIn,
  type Evaluated,
} from './evaluate.ts';
import { Scope, strategyOf, type ScopeValues } from './scope.ts';

const run = (source: string, values: ScopeValues = {}): Evaluated =>
  evaluate(source, { scope: new Scope(values), place: 'steps.x.if' });
const value = (source: string, values: ScopeValues = {}): JsonValue => {
  const result = run(source, values);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const error = (source: string, values: ScopeValues = {}): string => {
  const result = run(source, values);
  if (result.ok) throw new Error(`was ${JSON.stringify(result.value)}`);
  return `${result.error.code}: ${result.error.message}`;
};

describe('what expressions can see', () => {
  test('input, params, strategy, client, steps and the item, each in JSON terms', () => {
    const steps = { 'add-2': { state: 'completed', result: 7 }, b: { state: 'skipped' } } as const;
    expect(value('input.a[1] + 1', { input: { a: [1, 2] } })).toBe(3);
    expect(value('params.x', { params: { x: null } })).toBeNull();
    expect(value('size(params)')).toBe(0);
    expect(value('strategy', { params: { strategy: 'draft' } })).toBe('draft');
    expect(value('strategy')).toBe('final');
    expect(value('client', { client: 'acme' })).toBe('acme');
    expect(value('steps["add-2"].result * 2', { steps })).toBe(14);
    expect(value('steps.b.state == "skipped" && !has(steps.b.result)', { steps })).toBe(true);
    expect(value('[steps.b, steps.b.state, steps.b]', { steps })).toEqual([
      { state: 'skipped' },
      'skipped',
      { state: 'skipped' },
    ]);
    expect(value('[input, input]', { input: 1 })).toEqual([1, 1]);
  });

  test('the item, its index and key, and its relations', () => {
    const scope = new Scope({ input: 10 }).withEach({ item: { n: 1 }, index: 3, key: 'k', related: { up: [1] } });
    const each = (source: string): Evaluated => evaluate(source, { scope, place: 'p' });
    expect(each('[each.item.n + input, each.index, each.key, each.related.up[0], each.index]')).toEqual({
      ok: true,
      value: [11, 3, 'k', 1, 3],
    });
    expect(each('size(each)')).toEqual({ ok: true, value: 4 });
    expect(error('each.item')).toContain('unresolved');
  });

  test('what is not there is an error, not a surprise', () => {
    expect(error('input.b', { input: { a: 1 } })).toBe(
      'expression_failed: steps.x.if: field not found: b, in `input.b`',
    );
    for (const name of ['nothing', 'constructor', '__proto__', 'toString', 'steps', 'steps.a', 'steps.toString']) {
      expect(error(name)).toMatch(/^expression_failed/);
    }
    expect(error('client')).toMatch(/unresolved/);
    expect(error('input')).toMatch(/unresolved/);
  });
});

describe('values', () => {
  test('whole numbers are ints, others doubles, and both mix', () => {
    const input = { n: 5, x: 2.5 };
    expect(
      value('[input.n + 1, input.n * input.x, input.x + input.n, input.n - input.x, input.n / input.x]', { input }),
    ).toEqual([6, 12.5, 7.5, 2.5, 2]);
    expect(value('[input.x - input.n, input.x * input.n, input.x / input.n, input.n / 2]', { input })).toEqual([
      -2.5, 12.5, 0.5, 2,
    ]);
    expect(value('input', { input: 1e300 })).toBe(1e300);
    expect(value('[1u, type(1) == int]')).toEqual([1, true]);
  });

  test('objects, lists, times and lengths of time come back as JSON', () => {
    expect(value('{"a": [1, "x", null, true], "__proto__": 2}')).toEqual(
      JSON.parse('{"a": [1, "x", null, true], "__proto__": 2}'),
    );
    expect(value('timestamp("2026-01-01T00:00:00Z") + duration("90m")')).toBe('2026-01-01T01:30:00.000Z');
    expect(value('duration("1500ms")')).toBe('1.5s');
  });

  test('what JSON does not have is refused', () => {
    expect(error('9007199254740993')).toContain('too large a number');
    expect(error('1.0 / 0.0')).toContain('no JSON number');
    expect(error('{1: 2}')).toContain('names of an object must be texts');
    expect(error('b"abc"')).toContain('no JSON value');
    expect(error('type(1)')).toContain('no JSON value');
    expect(error('b"a" + b"b"')).toContain('bytes cannot be joined');
  });

  test('texts that cannot be stored are refused, also in errors', () => {
    expect(error('input.charAt(0)', { input: '\u{1F600}' })).toContain('cannot be stored');
    expect(error('{"\\u0000": 1}')).toContain('cannot be stored');
    expect(error('input["\\u0000"]', { input: {} })).toContain('field not found: \uFFFD');
    expect(error('"\\uD800"')).toContain('is not CEL: surrogate');
  });

  test('texts have functions', () => {
    expect(value('"a,b".split(",").map(x, x.upperAscii()).join("-") + "x".replace("x", "$&")')).toBe('A-B$&');
    expect(value('["a", "b"].join()')).toBe('ab');
    expect(error('[1].join("")')).toContain('only texts');
    expect(error('"a".format([])')).toContain("no function 'format'");
  });
});

describe('bounds', () => {
  test('a map over ten thousand items neither overflows nor takes long', () => {
    const input = Array.from({ length: 10_000 }, (_, i) => i);
    expect(value('input.map(x, x + 1)[9999]', { input })).toBe(10_000);
    expect(value('size(input.filter(x, x % 2 == 0) + input)', { input })).toBe(15_000);
  });

  test('lists that share their beginning do not write into each other', () => {
    const source = '[[1, 2].map(x, x)].map(l, [l + [3], l + [4], l])[0]';
    expect(value(source)).toEqual([
      [1, 2, 3],
      [1, 2, 4],
      [1, 2],
    ]);
    expect(error('([1, 2].map(x, x) + [3])[3]')).toContain('index');
  });

  test('what would cost too much is refused before it is evaluated', () => {
    const input = Array.from({ length: 1000 }, (_, i) => i);
    expect(error('input.map(x, input.map(y, x * y))', { input })).toMatch(/^expression_too_costly: steps.x.if looks/);
    expect(error('input.exists(x, input.contains("b"))', { input: 'a'.repeat(3_000_000) })).toMatch(/too_costly/);
  });

  test('texts, lists and results cannot be blown up', () => {
    const input = 'a'.repeat(8000);
    expect(error('input.replace("", input)', { input })).toContain('a text of more than');
    expect(error(Array(150).fill('input').join(' + '), { input })).toContain('a text of more than');
    const list = Array.from({ length: 8000 }, () => 1);
    expect(error(Array(30).fill('input').join(' + '), { input: list })).toContain('a list of more than');
    expect(error(`[input, ${Array(30).fill('input').join(', ')}]`, { input: list })).toContain('a result of more');
  });

  test('sources are bounded, and what is no CEL is told with its place', () => {
    expect(compileExpression('1'.repeat(2001))).toMatchObject({ message: 'is longer than 2000 characters' });
    expect(compileExpression('('.repeat(990))).toMatchObject({ message: 'is nested too deeply' });
    expect(compileExpression('1 +')).toMatchObject({
      message: 'is not CEL: it cannot be read on from character 3',
    });
    expect(compileExpression('1 ==\n  2 2')).toMatchObject({
      message: expect.stringContaining('from line 2, character 5'),
    });
    expect(error('nope(1)')).toBe("expression_failed: steps.x.if there is no function 'nope'");
    expect(error('google.protobuf.Timestamp{seconds: 1}')).toContain("no type 'google.protobuf.Timestamp'");
    expect(error('[1].map(a, [1].map(b, [1].map(c, 1)))')).toContain('nested deeper than 2');
    expect(value('[1].map(a, a).map(b, b).map(c, c)')).toEqual([1]);
  });

  test('compiled sources make room for new ones', () => {
    for (let i = 0; i < 2001; i++) compileExpression(`${i}`);
    expect(value('0')).toBe(0);
  });
});

describe('conditions, lists and templates', () => {
  const at = (values: ScopeValues): { scope: Scope; place: string } => ({ scope: new Scope(values), place: 'p' });

  test('a condition is true or false; an error or anything else is neither', () => {
    expect(evaluateCondition('input > 1', at({ input: 2 }))).toEqual({ ok: true, value: true });
    expect(evaluateCondition('input', at({ input: 'true' }))).toMatchObject({ ok: false });
    expect(evaluateCondition('input.x', at({ input: {} }))).toMatchObject({
      ok: false,
      error: { kind: 'permanent', code: 'expression_failed' },
    });
  });

  test('a list is a list', () => {
    expect(evaluateList('input', at({ input: [1] }))).toEqual({ ok: true, value: [1] });
    expect(evaluateList('input', at({ input: {} }))).toMatchObject({ error: { message: 'p is no list, in `input`' } });
    expect(evaluateList('nope', at({}))).toMatchObject({ ok: false });
  });

  test('a template keeps its shape; text leaves are expressions; errors name their place', () => {
    const template: Template = { a: 'input + 1', b: [1, true, null, '"text"'], c: { d: 'input' } };
    expect(evaluateTemplate(template, at({ input: 1 }))).toEqual({
      ok: true,
      value: { a: 2, b: [1, true, null, 'text'], c: { d: 1 } },
    });
    expect(evaluateTemplate({ a: [{ b: 'nope' }] }, at({}))).toMatchObject({
      error: { message: expect.stringMatching(/^p\.a\.0\.b: /) },
    });
    const long = `${'1 + '.repeat(100)} nope`;
    expect(evaluateTemplate(long, at({}))).toMatchObject({ error: { message: expect.stringContaining('…') } });
  });

  test('references are told without values, macro variables left out', () => {
    const references = referencesIn({
      a: 'steps["x-y"].result.n + size(input.list.map(x, x.n + params.p))',
      b: ['input[params.i].z', '1 +', 2, null, '[{"a": input}][0].a'],
    });
    expect(references.map(({ root, path }) => [root, ...path].join('/'))).toEqual([
      'steps/x-y/result/n',
      'input/list',
      'params/p',
      'input',
      'params/i',
      'input',
    ]);
  });
});

test('the strategy is final unless the params say draft', () => {
  expect([strategyOf(undefined), strategyOf({ strategy: 'x' }), strategyOf({ strategy: 'draft' })]).toEqual([
    ...['final', 'final', 'draft'],
  ]);
});
