import pg from 'pg';

/** The same server and user, another database. */
export function urlOfDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${encodeURIComponent(database)}`;
  return changed.toString();
}

/** Runs statements on one connection, which is closed in any case. */
export async function withClient<Result>(url: string, use: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const plain = new URL(url);
  // Prisma's own parameter; the server would refuse it.
  plain.searchParams.delete('schema');
  const client = new pg.Client({ connectionString: plain.toString(), connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const quoted = (identifier: string): string => `"${identifier.replaceAll('"', '""')}"`;

/** Creates the database of this name beside the one of `url` unless it is there, and returns its URL. */
export async function ensureDatabase(url: string, name: string): Promise<string> {
  await withClient(url, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (rowCount) return;
    await client.query(`CREATE DATABASE ${quoted(name)}`).catch((error: unknown) => {
      // Another process was faster.
      if (!(error instanceof pg.DatabaseError) || (error.code !== '42P04' && error.code !== '23505')) throw error;
    });
  });
  return urlOfDatabase(url, name);
}

/** Creates a database as a copy of a template (which nobody may be connected to) and returns its URL. */
export async function copyDatabase(url: string, { name, from }: { name: string; from: string }): Promise<string> {
  await withClient(url, (client) => client.query(`CREATE DATABASE ${quoted(name)} TEMPLATE ${quoted(from)}`));
  return urlOfDatabase(url, name);
}

/** Drops a database, with the sessions that are still in it. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  await withClient(url, (client) => client.query(`DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`));
}
