import type pg from 'pg';
import { IdempotencyMismatchError, type IdempotentCreate } from './create-once.ts';

/**
 * What the first request under a key was answered; null when there was none. To be asked under a lock that all requests
 * with this key take, in the transaction that keeps the answer.
 *
 * @throws IdempotencyMismatchError
 */
export async function findAnswer<Answer extends object>(
  client: pg.ClientBase,
  idempotency: IdempotentCreate | undefined,
): Promise<Answer | null> {
  if (!idempotency) return null;
  const { rows } = await client.query<{ bodyHash: string; answer: Answer }>({
    name: 'find_answer',
    text: `SELECT body_hash AS "bodyHash", answer FROM idempotency_keys
           WHERE scope = $1 AND key = $2 AND created_at > now() - interval '24 hours'`,
    values: [idempotency.scope, idempotency.key],
  });
  const [row] = rows;
  if (!row) return null;
  if (row.bodyHash !== idempotency.bodyHash) throw new IdempotencyMismatchError();
  return row.answer;
}

/** Keeps the answer to a request for whoever repeats it. */
export async function keepAnswer(
  client: pg.ClientBase,
  idempotency: IdempotentCreate | undefined,
  answer: object,
): Promise<void> {
  if (!idempotency) return;
  const { scope, key, bodyHash } = idempotency;
  await client.query({
    name: 'keep_answer',
    text: `INSERT INTO idempotency_keys (scope, key, body_hash, answer) VALUES ($1, $2, $3, $4)
           ON CONFLICT (scope, key) DO UPDATE
             SET body_hash = excluded.body_hash, answer = excluded.answer, created_at = now()`,
    values: [scope, key, bodyHash, JSON.stringify(answer)],
  });
}
