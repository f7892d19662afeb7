import { defineNumberFunction } from './number-function.ts';

/** `math.multiply`: the input times the operand. */
export const mathMultiply = defineNumberFunction({
  name: 'math.multiply',
  description: 'Multiplies a number by the operand.',
  operandTitle: 'Factor',
  compute: (input, operand) => input * operand,
});
