import type { Fault } from '@connecta/contracts';
import { HTTP_METHODS, isObject, readOpenApiDocument, readOperation } from './document.ts';
import { Operation } from './operation.ts';
import { SchemaCompiler } from './schema-compiler.ts';

/** Says what of somebody else's answer is not as their document declares it; no faults when all of it is. */
export type AnswerChecker = (
  operationId: string,
  answer: { status: number; contentType: string | undefined; body: unknown },
) => Fault[];

/** Checks the answers of a service that is called, by its OpenAPI document. */
export function createAnswerChecker(openapi: URL): AnswerChecker {
  const document = readOpenApiDocument(openapi);
  const compiler = new SchemaCompiler(document);
  const operations = new Map<string, Operation>();
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of HTTP_METHODS) {
      if (!isObject(item[method])) continue;
      const object = readOperation(document, path, method);
      const operation = new Operation({ document, compiler, route: path, method, object });
      operations.set(operation.id, operation);
    }
  }
  return (operationId, { status, contentType, body }) => {
    const operation = operations.get(operationId);
    if (!operation) throw new TypeError(`the document has no operation ${operationId}`);
    const undeclared = operation.undeclaredHead(status, contentType);
    if (undeclared !== undefined) return [{ path: '', message: undeclared }];
    return contentType === undefined ? [] : operation.answerFaults(status, contentType, body);
  };
}
