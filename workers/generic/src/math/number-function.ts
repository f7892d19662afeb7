import { defineFunction, FunctionError, type WorkerFunction } from '@connecta/worker-kit';

interface OperandSettings {
  operand: number;
}

/**
 * A function of a number and a profile's operand. Whole numbers stay whole: where a whole result is beyond what a
 * double holds exactly, the function refuses rather than answer something near it.
 */
export function defineNumberFunction(options: {
  name: string;
  description: string;
  operandTitle: string;
  compute: (input: number, operand: number) => number;
}): WorkerFunction {
  return defineFunction<OperandSettings>({
    name: options.name,
    version: '1.0.0',
    description: options.description,
    settingsSchema: {
      type: 'object',
      required: ['operand'],
      additionalProperties: false,
      properties: { operand: { type: 'number', title: options.operandTitle } },
    },
    inputSchema: { type: 'number' },
    outputSchema: { type: 'number' },
    cacheable: true,
    run({ input, settings: { operand } }) {
      // The input's schema lets only numbers through.
      const number = input as number;
      const value = options.compute(number, operand);
      const whole = Number.isInteger(number) && Number.isInteger(operand);
      if (Number.isFinite(value) && (!whole || Number.isSafeInteger(value))) return Promise.resolve({ value });
      const told = `${options.name} of ${number} and ${operand} is too large to be exact`;
      return Promise.reject(new FunctionError('business', 'out_of_range', told));
    },
  });
}
