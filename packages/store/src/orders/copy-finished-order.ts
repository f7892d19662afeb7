import type { OrderId } from '@connecta/contracts';
import pg from 'pg';

/** Orders of one transaction. */
const CHUNK = 20_000;
/** The time over which copies are spread, so that all of them are younger than any retention. */
const SPREAD_MS = 24 * 3_600_000;
/** What a finished order without files leaves behind. */
const TABLES = ['orders', 'jobs', 'order_events'] as const;

type Table = (typeof TABLES)[number];

export interface CopyOptions {
  copies: number;
  /** Told of how many there are by now; one that throws ends it. */
  onProgress: (copied: number) => void;
}

/**
 * Gives a database a long past, for measurements: copies its newest completed order with all that it left in the
 * database. The copies have ids and times of their own, as if they had been placed one after another in the last day.
 * Vacuums and analyses at the end, as a database is that has grown slowly.
 */
export async function copyFinishedOrder(databaseUrl: string, { copies, onProgress }: CopyOptions): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'connecta-copy' });
  await client.connect();
  try {
    const template = await findTemplate(client);
    const statement = await copyStatement(client, template);
    for (let copied = 0; copied < copies;) {
      const last = Math.min(copied + CHUNK, copies);
      await client.query(statement, [template.id, copied + 1, last, SPREAD_MS / copies, copies]);
      copied = last;
      onProgress(copied);
    }
    await client.query(`VACUUM (ANALYZE) ${TABLES.join(', ')}`);
    await client.query('CHECKPOINT');
  } finally {
    await client.end();
  }
}

interface Template {
  id: OrderId;
  jobIds: string[];
}

async function findTemplate(client: pg.Client): Promise<Template> {
  const { rows } = await client.query<Template>(
    `SELECT o.id, ARRAY(SELECT j.id FROM jobs j WHERE j.order_id = o.id ORDER BY j.id) AS "jobIds"
     FROM orders o WHERE o.state = 'completed' ORDER BY o.id DESC LIMIT 1`,
  );
  const [template] = rows;
  if (!template) throw new Error('no order has completed yet that could be copied');
  return template;
}

/**
 * One statement for a chunk. A copy's ids are UUIDv7 of its time: the order has the number 0 in the twelve bits behind
 * the time, its jobs have 1 and up.
 */
async function copyStatement(client: pg.Client, { id, jobIds }: Template): Promise<string> {
  const idOf = (number: number): string => `(c.at || '7${number.toString(16).padStart(3, '0')}8' || c.tail)::uuid`;
  const newJobId = `CASE t.id ${jobIds.map((job, n) => `WHEN '${job}' THEN ${idOf(n + 1)}`).join(' ')} END`;
  const inText = [[id, 0] as const, ...jobIds.map((job, n) => [job, n + 1] as const)].reduce(
    (text, [old, number]) => `replace(${text}, '${old}', ${idOf(number)}::text)`,
    't.events::text',
  );
  const ids: Record<Table, Readonly<Record<string, string>>> = {
    orders: { id: idOf(0) },
    jobs: { id: newJobId, order_id: idOf(0) },
    order_events: { order_id: idOf(0), events: `(${inText})::jsonb` },
  };
  const inserts: string[] = [];
  for (const table of TABLES) inserts.push(insertOf(table, await columnsOf(client, table), ids[table]));
  const [orders, ...others] = inserts;
  return `WITH c AS MATERIALIZED (
      SELECT shifted.shift, lpad(to_hex((extract(epoch FROM o.created_at + shifted.shift) * 1000)::bigint), 12, '0') AS at,
        substr(md5(random()::text), 1, 15) AS tail
      FROM orders o CROSS JOIN generate_series($2::int, $3::int) n
      CROSS JOIN LATERAL (SELECT (n - $5::int - 1) * $4::float8 * interval '1 millisecond' AS shift) shifted
      WHERE o.id = $1),
    ${others.map((insert, n) => `other_${n} AS (${insert})`).join(',\n')}
    ${orders}`;
}

interface Column {
  name: string;
  type: string;
}

async function columnsOf(client: pg.Client, table: Table): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`,
    [table],
  );
  return rows;
}

/** Every column as it is, whichever there are, but for ids and times. */
function insertOf(table: Table, columns: readonly Column[], ids: Readonly<Record<string, string>>): string {
  const values = columns.map(
    ({ name, type }) => ids[name] ?? (type.startsWith('timestamp') ? `t.${name} + c.shift` : `t.${name}`),
  );
  const own = table === 'orders' ? 'id' : 'order_id';
  return `INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')})
    SELECT ${values.join(', ')} FROM c CROSS JOIN ${table} t WHERE t.${own} = $1`;
}
