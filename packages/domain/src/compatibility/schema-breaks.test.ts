import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@connecta/contracts';
import { newBreaks, schemaBreaks } from './schema-breaks.ts';

const told = (from: JsonValue, to: JsonValue): string[] =>
  schemaBreaks(from, to).map(({ path, keyword }) => `${path} ${keyword}`);
const number = { type: 'number' };
const text = { type: 'string' };

describe('a break is told where it can be proved', () => {
  test.each<[string, JsonValue, JsonValue, string[]]>([
    ['another type', number, text, [' type']],
    ['one of several types', { type: ['number', 'null'] }, number, [' type']],
    ['a number is no integer', number, { type: 'integer' }, [' type']],
    ['an integer is a number', { type: 'integer' }, number, []],
    ['listed values', { enum: ['a', 'b'] }, { enum: ['a'] }, [' enum']],
    ['a single value', { const: 1 }, { const: 2 }, [' enum']],
    ['fewer listed values fit', { enum: ['a'] }, { enum: ['a', 'b'] }, []],
    ['any text for listed values', text, { enum: ['a'] }, [' enum']],
    ['any number for listed values', number, { enum: [1] }, [' enum']],
    ['few numbers for listed values', { type: 'integer', minimum: 1, maximum: 2 }, { enum: [1, 2] }, []],
    ['short texts for listed values', { ...text, maxLength: 0 }, { enum: [''] }, []],
    ['a pattern for listed values', { ...text, pattern: '^a$' }, { enum: ['a'] }, []],
    ['what is not said for listed values', {}, { enum: ['a'] }, []],
    ['listed integers are integers', { ...number, enum: [1] }, { type: 'integer' }, []],
    ['a lower bound', number, { ...number, minimum: 0 }, [' minimum']],
    [
      'narrower bounds',
      { type: 'integer', minimum: 0, maximum: 9 },
      { minimum: 1, maximum: 8 },
      [' minimum', ' maximum'],
    ],
    ['wider bounds', { ...number, minimum: 1, maximum: 8 }, { ...number, minimum: 0, maximum: 9 }, []],
    ['bounds that cannot be compared', { ...number, exclusiveMinimum: 0 }, { ...number, minimum: 0 }, []],
    ['bounds of listed values', { enum: [1] }, { minimum: 0 }, []],
    ['the length of a text', text, { ...text, minLength: 1, maxLength: 5 }, [' minLength', ' maxLength']],
    ['the length of a list', { type: 'array' }, { type: 'array', maxItems: 3 }, [' maxItems']],
    ['the size of an object', { type: 'object' }, { minProperties: 1 }, [' minProperties']],
    ['items', { type: 'array', items: number }, { type: 'array', items: text }, ['/* type']],
    ['items of an empty list', { type: 'array', items: number, maxItems: 0 }, { items: text }, []],
    ['items by place', { type: 'array', prefixItems: [number], items: number }, { items: text }, []],
  ])('%s', (_what, from, to, expected) => {
    expect(told(from, to)).toEqual(expected);
  });

  test('members that are gone, may be missing, changed, or are not accepted', () => {
    const to = {
      ...{ type: 'object', required: ['a', 'b', 'c'], additionalProperties: false },
      properties: { a: number, b: number, c: number },
    };
    const from = { type: 'object', required: ['a'], properties: { a: text, c: number, 'x/y': number, z: false } };
    expect(told(from, to)).toEqual(['/b absent', '/c required', '/a type', '/x~1y additionalProperties']);
    expect(told(from, { ...to, patternProperties: {} })).toEqual(['/b absent', '/c required', '/a type']);
    expect(told({ type: 'object' }, to)).toEqual(['/a absent', '/b absent', '/c absent']);
    expect(told(from, { type: 'object', properties: true, required: 'a' })).toEqual([]);
  });
});

describe('nothing is told that is only likely', () => {
  test.each<[string, JsonValue, JsonValue]>([
    ['a schema that says nothing', {}, number],
    ['no schema', true, number],
    ['whatever is accepted', number, true],
    ['a combined schema', { anyOf: [number, text], type: ['number', 'string'] }, number],
    ['a reference', { $ref: '#/$defs/x', type: 'number' }, text],
    ['a pattern', text, { ...text, pattern: '^a' }],
    ['lists and nulls instead of schemas', [], null],
  ])('%s', (_what, from, to) => {
    expect(told(from, to)).toEqual([]);
  });

  test('no schema breaks with itself', () => {
    const schemas: JsonValue[] = [
      { type: 'object', required: ['a'], properties: { a: { type: 'array', items: { enum: [1, 'b'] } } } },
      { type: ['string', 'null'], minLength: 1, maxLength: 9, pattern: 'x' },
      { type: 'number', exclusiveMinimum: 0, multipleOf: 0.5 },
    ];
    for (const schema of schemas) expect(told(schema, schema)).toEqual([]);
  });

  test('schemas deeper than the bound end the look', () => {
    const deep = (leaf: JsonValue): JsonValue => {
      let schema = leaf;
      for (let i = 0; i < 20; i++) schema = { type: 'object', properties: { a: schema } };
      return schema;
    };
    expect(told(deep(number), deep(text))).toEqual([]);
  });
});

test('a change brings the breaks that were not there before', () => {
  const input = { type: 'object', required: ['a', 'b'], properties: { a: number } };
  const before = schemaBreaks({ type: 'object', required: ['a'], properties: { a: number } }, input);
  const after = schemaBreaks({ type: 'object', required: ['a'], properties: { a: text } }, input);
  expect(newBreaks(before, after).map(({ path, keyword }) => `${path} ${keyword}`)).toEqual(['/a type']);
});
