import type pg from 'pg';
import type { QueueOptions } from '../options.ts';
import { TurnPublisher } from '../reports/turn-publisher.ts';
import { quoted, typeSchema } from './naming.ts';

/** Hands reports in through the type's `publish_reports`: one statement, one commit and one NOTIFY a turn. */
export function postgresPublisher(
  pool: pg.Pool,
  prefix: string,
  ready: (workerType: string) => Promise<void>,
  options: QueueOptions,
): TurnPublisher {
  return new TurnPublisher(async (workerType, body) => {
    await ready(workerType);
    await pool.query(`select ${quoted(typeSchema(prefix, workerType))}.publish_reports($1::text[])`, [[body]]);
  }, options);
}
