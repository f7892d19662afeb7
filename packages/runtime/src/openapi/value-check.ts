import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/** Every fault of a value as `<pointer> <what>`; empty when it fits. */
export type ValueCheck = (value: unknown) => string[];

/**
 * Compiles a JSON Schema (draft 2020-12) that somebody else wrote. Each has a compiler of its own: names in two such
 * schemas may be the same.
 *
 * @throws Error when it is no schema.
 */
export function compileValueCheck(schema: object): ValueCheck {
  const ajv = new Ajv2020({ strict: false, allErrors: true, addUsedSchema: false });
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  return (value) => {
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath || '/'} ${message ?? 'is not valid'}`,
    );
  };
}
