import type { Fault } from '@connecta/contracts';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { JsonSchema } from './function.ts';

const OPTIONS: Options = { strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true };

/** A validator of one schema. */
export interface SchemaCheck {
  /** True when the value fits. No faults are collected: for the hot path. */
  fits(value: unknown): boolean;
  /** Every fault with its JSON pointer; empty when the value fits. The value is not changed. */
  faults(value: unknown): Fault[];
}

/** Compiles schemas of functions, draft 2020-12. One for a process: a compiler costs milliseconds and memory. */
export interface SchemaCompiler {
  check(schema: JsonSchema): SchemaCheck;
  /** Fills in the schema's defaults, in place. */
  fillDefaults(schema: JsonSchema): (value: unknown) => void;
}

/** Opens a compiler. `check` throws an Error that says what is wrong with a schema that is not one. */
export function openSchemaCompiler(): SchemaCompiler {
  // First-fault and all-faults validators are different code: the first is several times as fast.
  const first = withFormats(new Ajv2020(OPTIONS));
  const all = withFormats(new Ajv2020({ ...OPTIONS, allErrors: true }));
  const defaults = withFormats(new Ajv2020({ ...OPTIONS, strict: false, allErrors: true, useDefaults: true }));
  return {
    check(schema) {
      const fits = first.compile(schema);
      const every = lazily(() => all.compile(schema));
      return { fits, faults: (value) => (every()(value) ? [] : faultsOf(every())) };
    },
    fillDefaults(schema) {
      const fill = defaults.compile(schema);
      return (value) => void fill(value);
    },
  };
}

function withFormats(ajv: Ajv2020): Ajv2020 {
  addFormats.default(ajv);
  return ajv;
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

function faultsOf(check: ValidateFunction): Fault[] {
  return (check.errors ?? []).map((error) => ({
    path: pathOf(error),
    message: error.message ?? 'is not valid',
    code: error.keyword,
  }));
}

/** A missing or surplus property is itself the field at fault, not the object around it. */
function pathOf(error: ErrorObject): string {
  const params = error.params as {
    missingProperty?: string;
    additionalProperty?: string;
    unevaluatedProperty?: string;
  };
  const property = params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty;
  return property === undefined ? error.instancePath : `${error.instancePath}/${pointerToken(property)}`;
}

/** A property name as a part of a JSON pointer (RFC 6901). */
export function pointerToken(property: string): string {
  return property.replaceAll('~', '~0').replaceAll('/', '~1');
}
