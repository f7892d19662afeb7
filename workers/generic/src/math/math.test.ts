import { describe, expect, test } from '@jest/globals';
import { FunctionTrial } from '@connecta/worker-kit';
import { mathAdd } from './add.ts';
import { mathMultiply } from './multiply.ts';

const trial = new FunctionTrial();

describe('math', () => {
  test.each([
    [mathAdd, 5, 2, 7],
    [mathMultiply, 5, 2, 10],
    [mathAdd, 0.5, -1, -0.5],
    [mathMultiply, 7, 0, 0],
    [mathMultiply, 1.5, 2, 3],
  ])('computes with the operand of the profile', async (definition, input, operand, expected) => {
    expect((await trial.run(definition, { settings: { operand }, input })).value).toBe(expected);
  });

  test.each([
    [mathAdd, Number.MAX_SAFE_INTEGER, 2],
    [mathMultiply, 2 ** 52, 4],
    [mathMultiply, 1e300, 1e300],
  ])('refuses what it cannot compute exactly', async (definition, input, operand) => {
    await expect(trial.run(definition, { settings: { operand }, input })).rejects.toMatchObject({
      kind: 'business',
      code: 'out_of_range',
    });
  });

  test('takes numbers only, and needs an operand', async () => {
    await expect(trial.run(mathAdd, { settings: { operand: 2 }, input: '5' })).rejects.toMatchObject({
      code: 'invalid_input',
    });
    await expect(trial.run(mathAdd, { settings: {}, input: 5 })).rejects.toMatchObject({ code: 'invalid_settings' });
  });
});
