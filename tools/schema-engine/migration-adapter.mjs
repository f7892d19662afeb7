import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import { quoted, withClient } from './databases.mjs';

// Postgres' internal type "char", which catalog queries return, and `text`.
const charOid = 18;
const textOid = 25;

/**
 * The driver adapter in the form migrations need. @prisma/adapter-pg is made for the client; three things differ:
 * - it refuses the internal type "char": such columns are read as text and declared as characters;
 * - its executeScript() splits at ';', which breaks $$ bodies: the script goes out as one simple query;
 * - its connectToShadowDb() keeps the connection string's database (it would use the real one as the shadow) and
 *   drops it before its own pool is closed: ours makes a database of its own and drops it last.
 */
export function migrationAdapter(url, shadowUrl) {
  const connect = (target) => connectPatched(target, url.searchParams.get('schema') ?? undefined);
  return bindMigrationAwareSqlAdapterFactory({
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(url),
    connectToShadowDb: () => (shadowUrl ? connectToGivenShadow(shadowUrl, connect) : connectToOwnShadow(url, connect)),
  });
}

async function connectPatched(target, schema) {
  const plain = new URL(target);
  plain.searchParams.delete('schema');
  const factory = new PrismaPg(
    { connectionString: plain.toString(), max: 4 },
    { schema, onPoolError: () => undefined },
  );
  return patched(await factory.connect());
}

/** A shadow database that prisma.config.ts names is ours to empty. */
async function connectToGivenShadow(shadowUrl, connect) {
  await withClient(shadowUrl, (client) => client.query('DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public'));
  return connect(shadowUrl);
}

async function connectToOwnShadow(url, connect) {
  const name = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
  await withClient(url, (client) => client.query(`CREATE DATABASE ${quoted(name)}`));
  const shadow = new URL(url);
  shadow.pathname = `/${name}`;
  const adapter = await connect(shadow);
  const dispose = adapter.dispose.bind(adapter);
  adapter.dispose = async () => {
    await dispose();
    await withClient(url, (client) => client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`));
  };
  return adapter;
}

function patched(adapter) {
  const charColumns = new WeakMap();
  const performIO = adapter.performIO.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.performIO = async (query) => {
    const answer = await performIO(query);
    const result = Array.isArray(answer) ? answer.at(-1) : answer; // a script of several statements
    const isChar = (field) => field.dataTypeID === charOid;
    charColumns.set(
      result.rows,
      result.fields.flatMap((field, index) => (isChar(field) ? [index] : [])),
    );
    for (const field of result.fields.filter(isChar)) field.dataTypeID = textOid;
    return result;
  };
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const index of charColumns.get(result.rows) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
    return result;
  };
  return adapter.startTransaction ? patchedConnection(adapter) : adapter;
}

function patchedConnection(adapter) {
  const startTransaction = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (isolation) => patched(await startTransaction(isolation));
  adapter.executeScript = async (script) => {
    await adapter.client.query(script).catch((error) => adapter.onError(error));
  };
  return adapter;
}
