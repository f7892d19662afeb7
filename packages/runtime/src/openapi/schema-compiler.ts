import type { Fault } from '@connecta/contracts';
import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import { isObject, resolveReference, type OpenApiDocument } from './document.ts';

const DOCUMENT = 'openapi.json';
/** More faults than this help nobody, and a large wrong body would make as many objects as it has items. */
const MAX_FAULTS = 50;

/** A compiled schema: no faults when the value fits. */
export type Check = (value: unknown) => Fault[];

/** Compiles schemas of one OpenAPI document; each kind of use has rules of its own. */
export class SchemaCompiler {
  readonly #document: OpenApiDocument;
  readonly #first: Ajv2020;
  readonly #all: Ajv2020;
  readonly #parameters: Ajv2020;

  constructor(document: OpenApiDocument) {
    this.#document = document;
    this.#first = this.#ajv({ useDefaults: true });
    this.#all = this.#ajv({ allErrors: true });
    this.#parameters = this.#ajv({ allErrors: true, coerceTypes: true, useDefaults: true });
  }

  /**
   * A check for bodies. It stops at the first fault, and only then, for values `isSmall` says yes to, looks for all:
   * with all faults asked for from the start, a body of a million wrong items makes a million error objects.
   */
  body(schema: object, isSmall: (value: unknown) => boolean): Check {
    const first = this.#first.compile(this.#absolute(schema));
    let all: ValidateFunction | undefined;
    return (value) => {
      if (first(value)) return [];
      if (!isSmall(value)) return toFaults(first.errors);
      all ??= this.#all.compile(this.#absolute(schema));
      return all(value) ? toFaults(first.errors) : toFaults(all.errors);
    };
  }

  /** A check for parameters: texts are turned into the declared types, defaults are filled in, in place. */
  parameters(properties: Record<string, object>, required: readonly string[], open: boolean): Check {
    const check = this.#parameters.compile({
      type: 'object',
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, schema]) => [
          name,
          this.#absolute(resolveReference(this.#document, schema)),
        ]),
      ),
      required: [...required],
      additionalProperties: open,
    });
    return (value) => (check(value) ? [] : toFaults(check.errors));
  }

  /** A check for answers: nothing is changed, all faults are told. */
  response(schema: object): Check {
    const check = this.#all.compile(this.#absolute(schema));
    return (value) => (check(value) ? [] : toFaults(check.errors));
  }

  #ajv(options: Options): Ajv2020 {
    // Not strict: OpenAPI's own words (example, discriminator, xml) stand beside the schemas.
    const ajv = new Ajv2020({ strict: false, validateSchema: false, addUsedSchema: false, ...options });
    ajvFormats.default(ajv);
    ajv.addFormat('binary', true);
    ajv.addFormat('password', true);
    ajv.addSchema(this.#document, DOCUMENT);
    return ajv;
  }

  /** A copy whose references name the document: a compiled part stands alone, so `#/…` would mean the part itself. */
  #absolute(schema: unknown): object {
    const visit = (node: unknown): unknown => {
      if (Array.isArray(node)) return node.map(visit);
      if (!isObject(node)) return node;
      return Object.fromEntries(
        Object.entries(node).map(([key, value]) =>
          key === '$ref' && typeof value === 'string' && value.startsWith('#/')
            ? [key, `${DOCUMENT}${value}`]
            : [key, visit(value)],
        ),
      );
    };
    return visit(schema) as object;
  }
}

function toFaults(errors: ErrorObject[] | null | undefined): Fault[] {
  return (errors ?? []).slice(0, MAX_FAULTS).map(toFault);
}

function toFault(error: ErrorObject): Fault {
  const params = error.params as Record<string, unknown>;
  const below = params['missingProperty'] ?? params['additionalProperty'] ?? params['unevaluatedProperty'];
  const path =
    typeof below === 'string'
      ? `${error.instancePath}/${below.replaceAll('~', '~0').replaceAll('/', '~1')}`
      : error.instancePath;
  return { path, message: faultMessage(error, params) };
}

function faultMessage(error: ErrorObject, params: Record<string, unknown>): string {
  switch (error.keyword) {
    case 'required':
    case 'dependentRequired':
      return 'is required';
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'is not known';
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).map((v) => JSON.stringify(v)).join(', ')}`;
    case 'const':
      return `must be ${JSON.stringify(params['allowedValue'])}`;
    default:
      return error.message ?? 'is not valid';
  }
}
