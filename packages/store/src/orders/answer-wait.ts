import type { JobId, JobState, JsonValue, OrderId, OrderState } from '@connecta/contracts';
import type { WaitDecision } from '../engine/waiting.ts';
import { CHANNELS } from '../signals/listen.ts';
import type { Store } from '../store.ts';

/** A wait as somebody who answers it must know it. */
export interface AnswerableWait {
  id: JobId;
  orderId: OrderId;
  orderState: OrderState;
  step: string;
  state: JobState;
  attempt: number;
  /** What the plan says about the wait; null for a job that is none. */
  wait: { for: 'callback' | 'approval' | 'time'; role?: 'operator' | 'admin'; instructions?: string } | null;
  clientId: string;
  input: JsonValue;
  result: JsonValue;
  decision: WaitDecision | null;
}

/** The job with this id and what it waits for; null when there is none. */
export async function findAnswerableWait(store: Store, id: JobId): Promise<AnswerableWait | null> {
  const { rows } = await store.pool.query<AnswerableWait>({
    name: 'find_answerable_wait',
    text: `SELECT j.id, j.order_id AS "orderId", o.state AS "orderState", j.step, j.state, j.attempt, j.input, j.result, j.decision,
         o.client_id AS "clientId", CASE WHEN j.kind = 'wait' THEN p.steps->'steps'->j.step->'wait' END AS wait
       FROM jobs j JOIN orders o ON o.id = j.order_id JOIN plans p ON p.id = o.plan_id WHERE j.id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/**
 * Keeps an answer with the wait that it is for, once: false when the wait has ended or has an answer. From then on it
 * counts, whatever else happens; the orchestrator, which is told, makes the order go on.
 */
export async function answerWait(store: Store, id: JobId, attempt: number, decision: WaitDecision): Promise<boolean> {
  const { rowCount } = await store.pool.query({
    name: 'answer_wait',
    text: `WITH answered AS (
        UPDATE jobs SET decision = $3, work = 'answer', work_since = now()
        WHERE id = $1 AND attempt = $2 AND state = 'waiting' AND kind = 'wait' AND decision IS NULL RETURNING id)
      SELECT pg_notify($4, id::text) FROM answered`,
    values: [id, attempt, JSON.stringify(decision), CHANNELS.answers],
  });
  return rowCount === 1;
}
