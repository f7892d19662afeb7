import { defineNumberFunction } from './number-function.ts';

/** `math.add`: the input plus the operand. */
export const mathAdd = defineNumberFunction({
  name: 'math.add',
  description: 'Adds the operand to a number.',
  operandTitle: 'Added',
  compute: (input, operand) => input + operand,
});
