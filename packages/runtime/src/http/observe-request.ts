import { newId } from '@connecta/contracts';
import type { RequestHandler } from 'express';
import type { Logger } from '../logging/logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { continueTrace } from '../tracing/traceparent.ts';
import { RequestContext } from './request-context.ts';

const REQUEST_ID = /^[\w.:-]{1,100}$/;

/**
 * Gives each request its context, answers `X-Request-Id` and `traceparent`, and records time and outcome. Successful
 * requests are logged at `debug` only: a line costs about as much as the rest of the request.
 */
export function observeRequest(options: { log: Logger; metrics: Metrics }): RequestHandler {
  return (req, res, next) => {
    const given = req.headers['x-request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
    const traceparent = req.headers['traceparent'];
    // Taken now: while a mounted router runs, Express shows the path below its own.
    const { path } = req;
    const trace = continueTrace(typeof traceparent === 'string' ? traceparent : undefined);
    const context = new RequestContext({ requestId, trace, log: options.log });
    req.context = context;
    res.setHeader('x-request-id', requestId);
    res.setHeader('traceparent', context.traceparent);
    res.once('close', () => {
      const durationMs = performance.now() - context.startedAtMs;
      const status = res.writableFinished ? res.statusCode : 499;
      const route = context.operation?.route ?? 'none';
      options.metrics.observeHttp({ method: req.method, route, status, seconds: durationMs / 1000 });
      const level = status >= 500 ? 'warn' : status >= 400 ? 'info' : 'debug';
      if (!options.log.isLevelEnabled(level)) return;
      const fields = { method: req.method, path, status, durationMs: Math.round(durationMs * 10) / 10 };
      context.log[level](fields, 'request');
    });
    next();
  };
}
