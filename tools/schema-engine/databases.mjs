import pg from 'pg';

/** A plain connection for what happens outside of the migrated database: probing, creating, dropping. */
export async function withClient(url, use) {
  const plain = new URL(url);
  plain.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: plain.toString(), connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export async function createDatabase(url) {
  const maintenance = new URL(url);
  const databaseName = decodeURIComponent(maintenance.pathname.slice(1));
  maintenance.pathname = databaseName === 'postgres' ? '/template1' : '/postgres';
  await withClient(maintenance, (client) => client.query(`CREATE DATABASE ${quoted(databaseName)}`));
  return { databaseName };
}

export const quoted = (identifier) => `"${identifier.replaceAll('"', '""')}"`;

const codeByKind = { DatabaseDoesNotExist: 'P1003', AuthenticationFailed: 'P1000', DatabaseNotReachable: 'P1001' };
const codeByDriverCode = {
  '3D000': 'P1003',
  '28P01': 'P1000',
  28000: 'P1000',
  ECONNREFUSED: 'P1001',
  ENOTFOUND: 'P1001',
  '42P04': 'P1009',
};

/** A driver's error in Prisma's own codes, which its command-line tool acts upon. */
export function userError(error) {
  const cause = error?.cause ?? error;
  const code = codeByKind[cause?.kind] ?? codeByDriverCode[cause?.code] ?? error?.code;
  return { error_code: code, message: cause?.message || cause?.originalMessage || String(error?.message ?? error) };
}
