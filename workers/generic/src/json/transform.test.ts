import { describe, expect, test } from '@jest/globals';
import type { JsonValue } from '@connecta/contracts';
import { FunctionTrial } from '@connecta/worker-kit';
import { jsonTransform } from './transform.ts';

const trial = new FunctionTrial();
const transform = async (template: JsonValue, input: JsonValue, params: { [name: string]: JsonValue } = {}) =>
  (await trial.run(jsonTransform, { settings: { template }, input, params })).value;

describe('json.transform', () => {
  const study = { patient: { id: 7, 'a/b': null }, series: [{ n: 1 }, { n: 2, x: true }] };

  test('picks, renames, maps lists, knows defaults, the whole input and the parameters', async () => {
    const template = {
      id: { $path: '/patient/id' },
      none: { $path: '/patient/a~1b' },
      second: { $path: '/series/1/n' },
      missing: { $path: '/nowhere', default: [] },
      fixed: ['text', 1, null],
      as: { $literal: { $path: 'not a path' } },
      list: {
        $each: '/series',
        do: { number: { $path: '/n' }, of: { $input: '/patient/id' }, by: { $params: '/who' } },
      },
    };
    expect(await transform(template, study, { who: 'me' })).toEqual({
      id: 7,
      none: null,
      second: 1 + 1,
      missing: [],
      fixed: ['text', 1, null],
      as: { $path: 'not a path' },
      list: [
        { number: 1, of: 7, by: 'me' },
        { number: 2, of: 7, by: 'me' },
      ],
    });
    expect(await transform({ $path: '' }, 5)).toBe(5);
  });

  test('says what it did not find', async () => {
    await expect(transform({ $path: '/nowhere' }, study)).rejects.toMatchObject({ code: 'path_not_found' });
    await expect(transform({ $each: '/patient', do: 1 }, study)).rejects.toMatchObject({ code: 'not_a_list' });
    await expect(transform({ $path: '/constructor/name' }, study)).rejects.toMatchObject({ code: 'path_not_found' });
    await expect(transform({ $path: '/series/length' }, study)).rejects.toMatchObject({ code: 'path_not_found' });
  });

  test('is bounded', async () => {
    const many = Array.from({ length: 400 }, () => 0);
    const nested = { $each: '/', do: 1 };
    await expect(transform(nested, { '': many })).resolves.toHaveLength(400);
    const square = { $each: '', do: { $each: '', do: [1, 2, 3] } };
    await expect(transform(square, [many, many])).resolves.toHaveLength(2);
    const lists = Array.from({ length: 200 }, () => many);
    await expect(transform(square, lists)).rejects.toMatchObject({ code: 'too_large' });
  });

  test.each<JsonValue>([
    { $path: 'no-slash' },
    { $path: '/a', extra: 1 },
    { $eval: '1' },
    { $each: '/a' },
    { a: { $b: 1 } },
  ])('takes no template that means nothing: %j', async (template) => {
    await expect(transform(template, 1)).rejects.toMatchObject({ code: 'invalid_settings' });
  });
});
