#!/usr/bin/env node
/**
 * Stands in for Prisma's native schema engine, which its command-line tool would download: the same JSON-RPC over
 * stdin and stdout, done by @prisma/schema-engine-wasm through @prisma/adapter-pg. `prisma.config.ts` names this file
 * in PRISMA_SCHEMA_ENGINE_BINARY, and `prisma migrate dev|deploy|status|diff|reset` and `prisma db …` work offline.
 */
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createDatabase, userError, withClient } from './schema-engine/databases.mjs';
import { migrationAdapter } from './schema-engine/migration-adapter.mjs';
import { engineVersion, loadEngine } from './schema-engine/wasm.mjs';

const argv = process.argv.slice(2);
const valuesOf = (name) => argv.flatMap((word, index) => (word === name ? [argv[index + 1]] : []));
const [datasourceJson] = valuesOf('--datasource');
const datasource = datasourceJson ? JSON.parse(datasourceJson) : {};

if (argv.includes('--version')) process.stdout.write(`schema-engine-wasm ${engineVersion()}\n`);
else if (argv.includes('cli')) await runCommand(argv[argv.indexOf('cli') + 1]);
else await serve();

async function runCommand(command) {
  const commands = {
    'can-connect-to-database': () => withClient(datasource.url, (client) => client.query('SELECT 1')),
    'create-database': () => createDatabase(datasource.url),
  };
  try {
    if (!commands[command]) throw new Error(`unsupported schema engine command: ${command}`);
    await commands[command]();
  } catch (error) {
    process.exitCode = 1;
    const line = JSON.stringify({ level: 'ERROR', target: 'schema_engine::logger', fields: userError(error) });
    // No newline at the end: the caller parses every line as JSON.
    process.stderr.write(`schema-engine-wasm\n${line}`);
  }
}

async function serve() {
  let panic;
  const SchemaEngine = await loadEngine((message) => (panic = message));
  const adapter = datasource.url && migrationAdapter(new URL(datasource.url), datasource.shadowDatabaseUrl);
  const datamodels = valuesOf('--datamodels').map((path) => [path, readFileSync(path, 'utf8')]);
  let started;
  const engine = () =>
    (started ??= SchemaEngine.new(datamodels.length > 0 ? { datamodels } : {}, () => undefined, adapter));
  const methods = engineMethods(engine);

  const answer = async ({ id, method, params = {} }) => {
    try {
      send({ jsonrpc: '2.0', id, result: (await methods(method, params)) ?? {} });
    } catch (error) {
      const registered = /External error id#(\d+)/.exec(error?.message ?? '')?.[1];
      const driverError = adapter?.errorRegistry?.consumeError?.(Number(registered ?? -1))?.error;
      const plain = { message: error?.message ?? String(error), error_code: error?.code };
      const known = driverError ? userError(driverError) : plain;
      const message = panic ?? known.message;
      const data = { is_panic: Boolean(panic), message, error_code: known.error_code, meta: error?.meta ?? null };
      send({ jsonrpc: '2.0', id, error: { code: 4466, message, data } });
    }
  };
  let queue = Promise.resolve();
  const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
  lines.on('line', (line) => {
    const request = line.trim() ? JSON.parse(line) : {};
    // What has no method is the acknowledgement of our own `print`.
    if (request.method) queue = queue.then(() => answer(request));
  });
  lines.on('close', () => void queue.finally(() => process.exit(0)));
}

function engineMethods(engine) {
  // These two look the schema that the migrations make up in the engine's cache (the WASM build cannot make a shadow
  // database there); a drift check with the same list fills it.
  const afterDriftCheck = (method) => async (params) => {
    const { migrationsList, filters } = params;
    const started = await engine();
    await started.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: true, filters });
    return started[method](params);
  };
  const own = {
    evaluateDataLoss: afterDriftCheck('evaluateDataLoss'),
    createMigration: afterDriftCheck('createMigration'),
    createDatabase: (params) => createDatabase(params.datasource?.url ?? datasource.url),
    getDatabaseVersion: async (params) => (await engine()).version(params),
    diff: async (params) => {
      const { stdout, exitCode } = await (await engine()).diff(params);
      if (stdout) send({ jsonrpc: '2.0', id: 0, method: 'print', params: { content: stdout } });
      return { exitCode };
    },
  };
  return async (method, params) => {
    if (own[method]) return own[method](params);
    const started = await engine();
    if (typeof started[method] !== 'function') throw new Error(`unsupported schema engine method: ${method}`);
    return started[method](params);
  };
}

function send(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
