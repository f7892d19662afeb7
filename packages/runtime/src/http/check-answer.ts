import type { Response } from 'express';
import { isJson, type Operation } from '../openapi/operation.ts';
import { mediaTypeOf } from '../openapi/media-types.ts';

/** Thrown in tests when a route answers what the document does not declare; it reaches the client as a 500. */
export class UndeclaredAnswer extends Error {
  override readonly name = 'UndeclaredAnswer';
}

/**
 * Makes an undeclared status, media type or JSON body of this answer an error: for tests and development. Whatever way
 * a route answers ends in `writeHead`, so a stream's head is checked too.
 */
export function checkAnswer(operation: Operation, res: Response): void {
  const json = res.json.bind(res);
  const writeHead = res.writeHead.bind(res) as (...args: unknown[]) => Response;
  const refuse = (message: string): UndeclaredAnswer => new UndeclaredAnswer(`${operation.id}: ${message}`);
  let refused = false;

  res.json = (body: unknown): Response => {
    const contentType = String(res.getHeader('content-type') ?? 'application/json; charset=utf-8');
    if (!refused && isJson(mediaTypeOf(contentType))) {
      // As the client will see it: dates are texts, undefined is absent.
      const seen: unknown = body === undefined ? undefined : JSON.parse(JSON.stringify(body));
      const faults = operation.answerFaults(res.statusCode, contentType, seen);
      if (faults.length > 0) {
        refused = true;
        throw refuse(`status ${res.statusCode}: ${faults.map((f) => `${f.path || '/'} ${f.message}`).join('; ')}`);
      }
    }
    return json(body);
  };

  res.writeHead = ((...args: unknown[]): Response => {
    const contentType = res.getHeader('content-type');
    const status = typeof args[0] === 'number' ? args[0] : res.statusCode;
    const undeclared = operation.undeclaredHead(status, contentType === undefined ? undefined : String(contentType));
    if (!refused && undeclared !== undefined) {
      refused = true;
      for (const name of res.getHeaderNames()) if (name !== 'x-request-id') res.removeHeader(name);
      throw refuse(undeclared);
    }
    return writeHead(...args);
  }) as Response['writeHead'];
}
