import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

type Json = Record<string, unknown>;

/** The parts of an OpenAPI 3.1 document that are read here; schemas stay plain JSON Schema 2020-12. */
export interface OpenApiDocument extends Json {
  openapi: string;
  info: { title: string; version: string };
  paths: Record<string, Json>;
  security?: unknown[];
}

export interface ParameterObject {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required?: boolean;
  explode?: boolean;
  schema: Json;
}

export interface MediaTypes {
  [mediaType: string]: { schema?: Json };
}

export interface OperationObject {
  operationId?: string;
  parameters: ParameterObject[];
  requestBody?: { required?: boolean; content: MediaTypes };
  responses: Record<string, { content?: MediaTypes }>;
  security?: unknown[];
  /** The largest JSON body in bytes. */
  'x-body-limit-bytes'?: number;
}

export const HTTP_METHODS = ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'] as const;

/** Reads a self-contained OpenAPI 3.1 document (every `$ref` begins with `#/`). */
export function readOpenApiDocument(source: URL): OpenApiDocument {
  const document: unknown = parse(readFileSync(source, 'utf8'), { maxAliasCount: 0 });
  if (!isObject(document) || !isObject(document['paths']) || !String(document['openapi']).startsWith('3.1')) {
    throw new TypeError(`${source.pathname} is not an OpenAPI 3.1 document`);
  }
  return document as OpenApiDocument;
}

/** Follows a `$ref` until what it names. */
export function resolveReference(document: OpenApiDocument, node: unknown): Json {
  let current = node;
  for (let hops = 0; isObject(current) && typeof current['$ref'] === 'string'; hops++) {
    const reference = current['$ref'];
    if (hops > 20 || !reference.startsWith('#/')) throw new TypeError(`cannot follow the reference ${reference}`);
    current = reference
      .slice(2)
      .split('/')
      .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>((at, part) => (isObject(at) ? at[part] : undefined), document);
    if (current === undefined) throw new TypeError(`nothing at the reference ${reference}`);
  }
  if (!isObject(current)) throw new TypeError('an object or a reference to one is expected');
  return current;
}

/** One operation with the references of its own level followed and the path's parameters merged in. */
export function readOperation(document: OpenApiDocument, path: string, method: string): OperationObject {
  const pathItem = document.paths[path] ?? {};
  const raw = pathItem[method] as Json;
  const parameters = new Map<string, ParameterObject>();
  for (const node of [...list(pathItem['parameters']), ...list(raw['parameters'])]) {
    const parameter = resolveReference(document, node) as unknown as ParameterObject;
    parameters.set(`${parameter.in}:${parameter.name.toLowerCase()}`, parameter);
  }
  const responses: OperationObject['responses'] = {};
  for (const [status, node] of Object.entries(raw['responses'] ?? {})) {
    responses[status] = resolveReference(document, node);
  }
  const body = raw['requestBody'];
  return {
    ...(raw as unknown as OperationObject),
    parameters: [...parameters.values()],
    responses,
    ...(body === undefined
      ? {}
      : { requestBody: resolveReference(document, body) as unknown as { required?: boolean; content: MediaTypes } }),
  };
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
