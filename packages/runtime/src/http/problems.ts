import { STATUS_CODES } from 'node:http';
import { Problem, type ProblemCode } from '@connecta/contracts';
import type { ErrorRequestHandler, Response } from 'express';
import { isUnavailable } from './unavailable.ts';

const RETRY_AFTER_S = '2';

/** Codes for errors that carry nothing but an HTTP status, such as Express's own. */
const CODE_OF_STATUS: Readonly<Record<number, ProblemCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  406: 'not_acceptable',
  409: 'conflict',
  412: 'precondition_failed',
  413: 'too_large',
  415: 'unsupported_media_type',
  416: 'range_not_satisfiable',
  428: 'precondition_required',
  429: 'too_many_requests',
};

/** SQLSTATEs of text that Postgres cannot store: NUL, a broken encoding, an impossible `\u` escape. */
const UNSTORABLE = new Set(['22021', '22P05']);

/**
 * What is answered for an error: a Problem as it is; a lost connection, an exhausted pool, a deadlock as `unavailable`;
 * an error with a 4xx status by that; everything else as `internal`, without a word of what it was.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isUnavailable(error)) {
    return new Problem('unavailable', 'A part that this needs does not answer now; try again', { cause: error });
  }
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string' && UNSTORABLE.has(error.code)) {
      return new Problem('bad_request', 'A text holds a character that cannot be stored', { cause: error });
    }
    const status = 'status' in error ? error.status : undefined;
    if (typeof status === 'number' && status >= 400 && status < 500) {
      return new Problem(CODE_OF_STATUS[status] ?? 'bad_request', STATUS_CODES[status] ?? 'Bad request', {
        cause: error,
      });
    }
  }
  return new Problem('internal', 'Something went wrong here; the request id names it in the log', { cause: error });
}

/** Answers with a problem document, `Retry-After` on 503 and `WWW-Authenticate` on 401. */
export function sendProblem(res: Response, problem: Problem): void {
  const { status } = problem;
  res.status(status);
  if (status === 503 || status === 429) res.setHeader('retry-after', RETRY_AFTER_S);
  if (status === 401) res.setHeader('www-authenticate', 'Bearer');
  for (const [name, value] of Object.entries(problem.headers)) res.setHeader(name, value);
  res.removeHeader('etag');
  res.setHeader('content-type', 'application/problem+json; charset=utf-8');
  res.json(problem.toDocument());
}

/**
 * The last middleware: every error becomes a problem document, and only a 500 is logged as an error. Express knows an
 * error handler by its four parameters.
 */
export const problemHandler: ErrorRequestHandler = (error: unknown, req, res, _next) => {
  const problem = toProblem(error);
  const clientLeft = res.destroyed || (req.destroyed && !req.complete);
  if (problem.code === 'internal' && !clientLeft) req.context.log.error({ err: error }, 'a request failed');
  else if (problem.status >= 500) req.context.log.warn({ err: problem.cause ?? problem }, 'a request was refused');
  if (res.headersSent) {
    // Half an answer is out: cutting the connection is the one way left to say that it is not whole.
    res.destroy();
    return;
  }
  try {
    sendProblem(res, problem);
  } catch (undeclared) {
    // Only with answers checked: the document does not declare this problem for this operation.
    req.context.log.error({ err: undeclared }, 'an undeclared answer');
    sendProblem(res, toProblem(undeclared));
  }
};
