import { fileURLToPath } from 'node:url';
import { defineConfig } from 'prisma/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The CLI talks to the project's own schema engine (WASM), so that nothing is downloaded.
process.env['PRISMA_SCHEMA_ENGINE_BINARY'] ??= here('../../tools/schema-engine.mjs');
process.env['CHECKPOINT_DISABLE'] ??= '1';

export default defineConfig({
  schema: here('../../prisma/worker/schema.prisma'),
  migrations: { path: here('../../prisma/worker/migrations') },
  datasource: { url: process.env['WORKER_DATABASE_URL'] ?? 'postgresql://postgres@127.0.0.1:5432/connecta_worker' },
});
