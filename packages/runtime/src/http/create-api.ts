import { Problem } from '@connecta/contracts';
import cors from 'cors';
import express, { type Express, type Request, type Router } from 'express';
import type { Logger } from '../logging/logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import {
  HTTP_METHODS,
  isObject,
  readOpenApiDocument,
  readOperation,
  type OpenApiDocument,
} from '../openapi/document.ts';
import { Operation } from '../openapi/operation.ts';
import { RouteTable } from '../openapi/route-table.ts';
import { SchemaCompiler } from '../openapi/schema-compiler.ts';
import { observeRequest } from './observe-request.ts';
import { problemHandler } from './problems.ts';
import { systemRoutes, type ReadyChecks } from './system-routes.ts';
import { validateRequest } from './validate-request.ts';

const DEFAULT_BODY_LIMIT_BYTES = 1_048_576;
const EXPOSED_HEADERS = [
  ...['ETag', 'Location', 'Retry-After', 'X-Request-Id', 'traceparent', 'Accept-Ranges', 'Content-Range'],
  ...['Content-Disposition', 'Preference-Applied', 'Tus-Resumable', 'Upload-Offset', 'Upload-Length', 'Upload-Expires'],
];

export interface ApiOptions {
  name: string;
  /** The OpenAPI 3.1 document, YAML. */
  openapi: URL;
  /** Routers with whole paths (`/v1/orders`); mounted in this order, behind validation. */
  routers: readonly Router[];
  /**
   * Names the sender of a request, or throws Problem `unauthenticated`. Called for each operation whose `security` (its
   * own or the document's) is not empty; what it returns is read by `principalOf`.
   */
  authenticate: (req: Request) => Promise<unknown>;
  ready: ReadyChecks;
  log: Logger;
  metrics: Metrics;
  /** Answers that the document does not declare become a 500: on in tests. */
  responseValidation?: boolean;
  /** Paths left to their router: authenticated, but no body is read and nothing is validated. */
  rawPaths?: readonly RegExp[];
  /** For JSON bodies; an operation's `x-body-limit-bytes` goes before it. 1 MiB by default. */
  bodyLimitBytes?: number;
  /** Origins that browsers may call from; `*` for any. None by default. */
  corsOrigins?: readonly string[];
  /** Further documents (YAML) to publish as JSON without a credential, by path (`/asyncapi.json`). */
  documents?: Readonly<Record<string, URL>>;
  /** Once aborted, `/ready` answers 503. */
  stopping?: AbortSignal;
}

/**
 * An Express app that serves one OpenAPI document: requests are validated against it, every error is an RFC 9457
 * problem document, and `/live`, `/ready`, `/metrics`, `/openapi.json` and `/docs` exist.
 *
 * @throws Error when the document or a schema in it is not valid.
 */
export function createApi(options: ApiOptions): Express {
  const document = readOpenApiDocument(options.openapi);
  const app = express();
  app.disable('x-powered-by');
  // Express would hash every body for a weak ETag; resources that have revisions set their own.
  app.disable('etag');
  app.set('query parser', 'simple');
  app.enable('case sensitive routing');
  app.use(observeRequest(options));
  const origins = options.corsOrigins ?? [];
  if (origins.length > 0) {
    app.use(
      cors({
        origin: origins.includes('*') ? '*' : [...origins],
        exposedHeaders: EXPOSED_HEADERS,
        maxAge: 600,
      }),
    );
  }
  app.use(
    systemRoutes({
      document,
      documents: options.documents ?? {},
      ready: options.ready,
      metrics: options.metrics,
      log: options.log,
      stopping: options.stopping,
    }),
  );
  app.use(
    validateRequest({
      routes: compileRoutes(document),
      authenticate: options.authenticate,
      bodyLimitBytes: options.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES,
      checkAnswers: options.responseValidation ?? false,
      rawPaths: options.rawPaths ?? [],
    }),
  );
  for (const router of options.routers) app.use(router);
  app.use((req) => {
    if (!req.context.operation) throw new Problem('not_found', `There is nothing at ${req.path}`);
    throw new Error(`no router serves the declared operation ${req.context.operation.id}`);
  });
  app.use(problemHandler);
  return app;
}

function compileRoutes(document: OpenApiDocument): RouteTable<Operation> {
  const routes = new RouteTable<Operation>();
  const compiler = new SchemaCompiler(document);
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of HTTP_METHODS) {
      if (!isObject(item[method])) continue;
      const object = readOperation(document, path, method);
      routes.add(path, method, new Operation({ document, compiler, route: path, method, object }));
    }
  }
  return routes;
}
