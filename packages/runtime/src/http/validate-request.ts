import { Problem } from '@connecta/contracts';
import type { Request, RequestHandler, Response } from 'express';
import { mediaTypeOf, pickMediaType } from '../openapi/media-types.ts';
import { isJson, type Operation } from '../openapi/operation.ts';
import type { RouteTable } from '../openapi/route-table.ts';
import { parseSafeJson } from '../openapi/safe-json.ts';
import { checkAnswer } from './check-answer.ts';
import { hasBody, readBody } from './read-json-body.ts';

export interface RequestValidation {
  routes: RouteTable<Operation>;
  authenticate: (req: Request) => Promise<unknown>;
  bodyLimitBytes: number;
  checkAnswers: boolean;
  /** Paths that are authenticated and otherwise left alone: tus brings methods and answers of its own. */
  rawPaths: readonly RegExp[];
}

/**
 * The one middleware before the routes: operation, authentication, parameters, body, in this order, so that nobody
 * without a credential makes us read a body, and one step costs no more than a function call.
 */
export function validateRequest(options: RequestValidation): RequestHandler {
  return async (req, res, next) => {
    if (options.rawPaths.some((pattern) => pattern.test(req.path))) {
      req.context.principal = await options.authenticate(req);
      next();
      return;
    }
    const { operation, params } = findOperation(options.routes, req, res);
    req.context.operation = operation;
    if (options.checkAnswers) checkAnswer(operation, res);
    if (operation.requiresAuthentication) req.context.principal = await options.authenticate(req);
    acceptAnswer(operation, req);
    const query: Record<string, unknown> = { ...req.query };
    req.context.parameters = operation.readParameters({ path: params, query, header: req.headers });
    await readOperationBody(operation, req, options.bodyLimitBytes);
    next();
  };
}

function findOperation(
  routes: RouteTable<Operation>,
  req: Request,
  res: Response,
): { operation: Operation; params: Record<string, string> } {
  let match;
  try {
    match = routes.find(req.method, req.path);
  } catch (cause) {
    throw new Problem('bad_request', 'The path is not valid percent-encoding', { cause });
  }
  if (!match) throw new Problem('not_found', `There is nothing at ${req.path}`);
  if (!match.target) {
    res.setHeader('allow', match.allow.join(', '));
    throw new Problem('method_not_allowed', `${req.method} is not one of ${match.allow.join(', ')}`);
  }
  return { operation: match.target, params: match.params };
}

function acceptAnswer(operation: Operation, req: Request): void {
  const { accept } = req.headers;
  const offered = operation.answerMediaTypes;
  if (accept === undefined || accept.includes('*/*') || offered.length === 0) return;
  if (offered.some((mediaType) => mediaType.endsWith('/*'))) return;
  if (req.accepts([...offered]) === false) {
    throw new Problem('not_acceptable', `The answer is ${offered.join(' or ')}`);
  }
}

async function readOperationBody(operation: Operation, req: Request, defaultLimitBytes: number): Promise<void> {
  const declared = operation.bodyMediaTypes;
  if (!declared) return;
  if (!hasBody(req)) {
    // A binary body may well be empty (a blob of no bytes); a JSON one is never.
    if (operation.bodyRequired && declared.every(isJson)) throw new Problem('bad_request', 'A body is required');
    return;
  }
  // A body of which nothing is said fits only where anything does.
  const mediaType = pickMediaType(declared, mediaTypeOf(req.headers['content-type'] ?? ''));
  if (mediaType === undefined) {
    throw new Problem('unsupported_media_type', `The body must be ${declared.join(' or ')}`, {
      headers: { accept: declared.join(', ') },
    });
  }
  if (!isJson(mediaType)) return;
  const bytes = await readBody(req, operation.bodyLimitBytes ?? defaultLimitBytes);
  req.context.rawBody = bytes;
  const body = parseSafeJson(bytes);
  operation.checkBody(mediaType, body);
  req.body = body;
}
