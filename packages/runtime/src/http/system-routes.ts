import { readFileSync } from 'node:fs';
import { Problem } from '@connecta/contracts';
import express, { Router, type Express } from 'express';
import swaggerUi from 'swagger-ui-express';
import { parse } from 'yaml';
import type { Metrics } from '../metrics/metrics.ts';
import type { OpenApiDocument } from '../openapi/document.ts';
import type { Logger } from '../logging/logger.ts';

const CHECK_TIMEOUT_MS = 2_000;

/** Named checks; each rejects when its part cannot be used now. */
export type ReadyChecks = Readonly<Record<string, () => Promise<unknown>>>;

/**
 * `/live`, `/ready`, `/metrics`, `/openapi.json` and the reference page at `/docs` (its assets are served from here: no
 * CDN). None asks for a credential and none tells more than names and states.
 */
export function systemRoutes(
  options: HealthOptions & { document: OpenApiDocument; documents?: Readonly<Record<string, URL>> },
): Router {
  const router = healthRoutes(options);
  router.get('/openapi.json', (_req, res) => {
    res.json(options.document);
  });
  for (const [path, url] of Object.entries(options.documents ?? {})) {
    const published: unknown = parse(readFileSync(url, 'utf8'));
    router.get(path, (_req, res) => void res.json(published));
  }
  const page = swaggerUi.setup(options.document, { customSiteTitle: options.document.info.title });
  router.use('/docs', swaggerUi.serveFiles(options.document), page);
  router.use(['/live', '/ready', '/metrics', '/openapi.json'], (req) => {
    throw new Problem('method_not_allowed', `${req.method} is not GET`, { headers: { allow: 'GET' } });
  });
  return router;
}

export interface HealthOptions {
  ready: ReadyChecks;
  metrics: Metrics;
  log: Logger;
  stopping?: AbortSignal | undefined;
}

/** An app with `/live`, `/ready` and `/metrics` alone, for processes that serve no API. */
export function createHealthApp(options: HealthOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(healthRoutes(options));
  return app;
}

function healthRoutes(options: HealthOptions): Router {
  const router = Router();
  router.get('/live', (_req, res) => {
    res.json({ status: 'live' });
  });
  router.get('/ready', async (_req, res) => {
    const checks = await runChecks(options.ready, options.log);
    const stopping = options.stopping?.aborted ?? false;
    const ready = !stopping && Object.values(checks).every((state) => state === 'ok');
    if (!ready) res.setHeader('retry-after', '2');
    res.status(ready ? 200 : 503).json({ status: stopping ? 'stopping' : ready ? 'ready' : 'unready', checks });
  });
  router.get('/metrics', async (_req, res) => {
    res.setHeader('content-type', options.metrics.contentType);
    res.send(await options.metrics.expose());
  });
  return router;
}

async function runChecks(checks: ReadyChecks, log: Logger): Promise<Record<string, 'ok' | 'failing'>> {
  const states = await Promise.all(
    Object.entries(checks).map(async ([name, check]): Promise<[string, 'ok' | 'failing']> => {
      let timer: NodeJS.Timeout | undefined;
      try {
        await Promise.race([
          check(),
          new Promise((_resolve, reject) => {
            timer = setTimeout(() => reject(new Error('took too long')), CHECK_TIMEOUT_MS);
          }),
        ]);
        return [name, 'ok'];
      } catch (err) {
        log.warn({ err, check: name }, 'not ready');
        return [name, 'failing'];
      } finally {
        clearTimeout(timer);
      }
    }),
  );
  return Object.fromEntries(states);
}
