import { MINIMUM_POSTGRES_VERSION } from 'bullmq';
import type pg from 'pg';
import { QueueUnavailableError, UnusableQueueError } from '../errors.ts';
import { within } from '../waiting.ts';

interface Facts {
  version: number;
  reported: string;
  replica: boolean;
}

/** Refuses a Postgres that cannot hold the queue.
 * @throws UnusableQueueError, QueueUnavailableError */
export async function checkPostgres(pool: pg.Pool, timeoutMs: number): Promise<void> {
  const text = `select current_setting('server_version_num')::int / 10000 as version,
    current_setting('server_version') as reported, pg_is_in_recovery() as replica`;
  const asking = pool.query<Facts>(text).catch((error: unknown) => {
    throw new QueueUnavailableError('looking at Postgres', error);
  });
  const [facts] = (await within(timeoutMs, 'looking at Postgres', asking)).rows;
  const reasons: string[] = [];
  if (!facts) return;
  if (facts.version < MINIMUM_POSTGRES_VERSION)
    reasons.push(`Postgres ${facts.reported} is older than ${MINIMUM_POSTGRES_VERSION}`);
  if (facts.replica) reasons.push('this Postgres is a replica');
  if (reasons.length > 0) throw new UnusableQueueError(reasons);
}
