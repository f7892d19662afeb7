import { Problem, jsonBytes, type Fault, type JsonValue } from '@connecta/contracts';
import type { OpenApiDocument, OperationObject, ParameterObject } from './document.ts';
import { mediaTypeOf, pickMediaType } from './media-types.ts';
import { unstorableText } from './safe-json.ts';
import type { Check, SchemaCompiler } from './schema-compiler.ts';

const ALL_FAULTS_UP_TO_BYTES = 65_536;
const isSmall = (value: unknown): boolean => jsonBytes(value as JsonValue) <= ALL_FAULTS_UP_TO_BYTES;

type Place = 'path' | 'query' | 'header';
interface ParameterCheck {
  check: Check;
  declared: readonly ParameterObject[];
}

/** The parameters of a request as the document types them. */
export interface OperationParameters {
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  header: Record<string, unknown>;
}

/** One operation of the document, compiled: what a request must be, what an answer may be. */
export class Operation {
  readonly id: string;
  /** The path template, e.g. `/v1/orders/{id}`. */
  readonly route: string;
  readonly requiresAuthentication: boolean;
  readonly bodyLimitBytes: number | undefined;
  readonly bodyRequired: boolean;
  /** Media types that the request's body may have; undefined when it has none. */
  readonly bodyMediaTypes: readonly string[] | undefined;
  /** Media types of the successful answers. */
  readonly answerMediaTypes: readonly string[];
  readonly #object: OperationObject;
  readonly #compiler: SchemaCompiler;
  readonly #parameters: Record<Place, ParameterCheck>;
  readonly #bodyChecks = new Map<string, Check>();
  readonly #answerChecks = new Map<string, Check>();

  constructor(options: {
    document: OpenApiDocument;
    compiler: SchemaCompiler;
    route: string;
    method: string;
    object: OperationObject;
  }) {
    const { object, compiler } = options;
    this.#object = object;
    this.#compiler = compiler;
    this.id = object.operationId ?? `${options.method} ${options.route}`;
    this.route = options.route;
    this.requiresAuthentication = (object.security ?? options.document.security ?? []).length > 0;
    this.bodyLimitBytes = object['x-body-limit-bytes'];
    this.bodyRequired = object.requestBody?.required ?? false;
    this.bodyMediaTypes = object.requestBody ? Object.keys(object.requestBody.content) : undefined;
    this.answerMediaTypes = Object.entries(object.responses)
      .filter(([status]) => status.startsWith('2'))
      .flatMap(([, response]) => Object.keys(response.content ?? {}));
    this.#parameters = {
      path: this.#compileParameters('path', false),
      query: this.#compileParameters('query', false),
      header: this.#compileParameters('header', true),
    };
    // Compiled at the start: the first request is not slower, and a wrong schema keeps the process from starting.
    for (const [mediaType, { schema }] of Object.entries(object.requestBody?.content ?? {})) {
      if (schema && isJson(mediaType)) this.#bodyChecks.set(mediaType, compiler.body(schema, isSmall));
    }
  }

  /** @throws Problem bad_request with every fault of every parameter. */
  readParameters(given: {
    path: Record<string, string>;
    query: Record<string, unknown>;
    header: Record<string, unknown>;
  }): OperationParameters {
    const read: OperationParameters = { path: { ...given.path }, query: { ...given.query }, header: {} };
    const faults: Fault[] = [];
    for (const parameter of this.#parameters.header.declared) {
      const value = given.header[parameter.name.toLowerCase()];
      if (value !== undefined) read.header[parameter.name.toLowerCase()] = value;
    }
    for (const place of ['path', 'query', 'header'] as const) {
      const { check, declared } = this.#parameters[place];
      for (const parameter of declared) splitList(parameter, read[place]);
      for (const [name, value] of Object.entries(read[place])) {
        const message = unstorableText(value);
        if (message) faults.push({ path: `${place}:${name}`, message });
      }
      for (const fault of check(read[place])) faults.push({ ...fault, path: `${place}:${fault.path.slice(1)}` });
    }
    if (faults.length > 0) throw new Problem('bad_request', 'A parameter is not valid', { faults });
    return read;
  }

  /** @throws Problem bad_request with JSON pointers into the body. */
  checkBody(mediaType: string, body: unknown): void {
    const faults = this.#bodyChecks.get(mediaType)?.(body) ?? [];
    if (faults.length > 0) throw new Problem('bad_request', 'The body is not valid', { faults });
  }

  /** What the document calls this status: itself, its class (`4XX`), or, for faults alone, `default`. */
  #declared(status: number): string | undefined {
    const { responses } = this.#object;
    const names = [String(status), `${String(status)[0]}XX`, ...(status >= 400 ? ['default'] : [])];
    return names.find((name) => name in responses);
  }

  /** Says what is undeclared about an answer's head; undefined when nothing is. */
  undeclaredHead(status: number, contentType: string | undefined): string | undefined {
    const key = this.#declared(status);
    if (key === undefined) return `status ${status} is not declared`;
    const content = this.#object.responses[key]?.content;
    if (contentType === undefined) return undefined;
    if (!content) return `status ${status} is declared without a body and has ${contentType}`;
    if (!pickMediaType(Object.keys(content), mediaTypeOf(contentType))) {
      return `media type ${contentType} is not declared for status ${status}`;
    }
    return undefined;
  }

  /** The faults of a JSON answer. */
  answerFaults(status: number, contentType: string, body: unknown): Fault[] {
    const key = this.#declared(status);
    const content = key === undefined ? undefined : this.#object.responses[key]?.content;
    const mediaType = content && pickMediaType(Object.keys(content), mediaTypeOf(contentType));
    const schema = content && mediaType ? content[mediaType]?.schema : undefined;
    if (!schema) return [];
    const cacheKey = `${key} ${mediaType}`;
    let check = this.#answerChecks.get(cacheKey);
    if (!check) {
      check = this.#compiler.response(schema);
      this.#answerChecks.set(cacheKey, check);
    }
    return check(body);
  }

  #compileParameters(place: Place, open: boolean): ParameterCheck {
    const declared = this.#object.parameters.filter((parameter) => parameter.in === place);
    const name = (parameter: ParameterObject): string =>
      place === 'header' ? parameter.name.toLowerCase() : parameter.name;
    return {
      declared,
      check: this.#compiler.parameters(
        Object.fromEntries(declared.map((parameter) => [name(parameter), parameter.schema])),
        declared.filter((parameter) => parameter.required || place === 'path').map(name),
        open,
      ),
    };
  }
}

export function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType.endsWith('+json');
}

/** A list arrives as a repeated parameter, or with commas when the document says `explode: false`. */
function splitList(parameter: ParameterObject, values: Record<string, unknown>): void {
  const value = values[parameter.name];
  if (parameter.schema['type'] !== 'array' || value === undefined) return;
  if (Array.isArray(value)) return;
  values[parameter.name] = parameter.explode === false && typeof value === 'string' ? value.split(',') : [value];
}
