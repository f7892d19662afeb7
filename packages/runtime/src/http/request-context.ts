import type { Request } from 'express';
import type { Logger } from '../logging/logger.ts';
import type { Trace } from '../tracing/traceparent.ts';
import { formatTraceparent } from '../tracing/traceparent.ts';
import type { Operation, OperationParameters } from '../openapi/operation.ts';

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by `createApi` before anything else sees the request. */
    context: RequestContext;
  }
}

/** What is known of a request beside its own fields. */
export class RequestContext {
  readonly requestId: string;
  readonly trace: Trace;
  readonly startedAtMs = performance.now();
  /** The operation of the document; undefined on system paths and raw paths. */
  operation: Operation | undefined;
  parameters: OperationParameters | undefined;
  /** The bytes of a JSON body. */
  rawBody: Buffer | undefined;
  /** What `authenticate` returned: read it with {@link principalOf}. */
  principal: unknown;
  readonly #parentLog: Logger;
  #log: Logger | undefined;

  constructor(options: { requestId: string; trace: Trace; log: Logger }) {
    this.requestId = options.requestId;
    this.trace = options.trace;
    this.#parentLog = options.log;
  }

  /** A logger with the request's ids, made when first used: most requests log nothing. */
  get log(): Logger {
    this.#log ??= this.#parentLog.child({
      requestId: this.requestId,
      traceId: this.trace.traceId,
      ...(this.operation ? { operation: this.operation.id } : {}),
    });
    return this.#log;
  }

  /** The `traceparent` for whatever this request causes. */
  get traceparent(): string {
    return formatTraceparent(this.trace);
  }
}

/** Who sent the request. `P` is what the api's own `authenticate` returns; only routes that require it may ask. */
export function principalOf<P>(req: Request): P {
  if (req.context.principal === undefined) throw new TypeError('this operation requires no authentication');
  return req.context.principal as P;
}
