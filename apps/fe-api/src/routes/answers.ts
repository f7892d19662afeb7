import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  Problem,
  fileRefsIn,
  isBlobRef,
  isStorable,
  readCallbackToken,
  type ClientId,
  type FeApiOperations,
  type JobId,
  type JsonValue,
} from '@connecta/contracts';
import { ownValue, storeValue, type BlobIntake } from '@connecta/intake';
import { answer, inputOf, requireRole } from '@connecta/runtime';
import { answerWait, findAnswerableWait, type AnswerableWait, type WaitDecision } from '@connecta/store';
import { Router, type Response } from 'express';
import { callerOf } from '../access/caller.ts';
import { visibleOrder } from '../orders/order-access.ts';

type Operations = FeApiOperations;

export interface AnswersParts extends BlobIntake {
  /** What tokens of callbacks are made with; base64url. */
  webhookKey: string;
}

/** Answers to steps that wait: callbacks of other systems, decisions of people. */
export function answersRouter(parts: AnswersParts): Router {
  const router = Router();
  const { store } = parts;
  router.post('/v1/callbacks/:token', async (req, res) => {
    const { path, body } = inputOf<Operations['answerCallback']>(req);
    const target = readCallbackToken(parts.webhookKey, path.token);
    const wait = target && (await findAnswerableWait(store, target.jobId));
    if (!target || wait?.wait?.for !== 'callback') throw new Problem('not_found', 'No step waits for this callback');
    await keep(parts, wait, target.attempt, { value: body as JsonValue, by: 'callback' });
    await told(parts, wait.id, res);
  });
  router.post('/v1/orders/:id/jobs/:jobId/decision', requireRole('admin', 'operator'), async (req, res) => {
    const { path, body } = inputOf<Operations['decideJob']>(req);
    const caller = callerOf(req);
    const order = await visibleOrder(store, caller, path.id);
    const wait = await findAnswerableWait(store, path.jobId as JobId);
    if (wait?.orderId !== order.id || wait.wait?.for !== 'approval') {
      throw new Problem('not_found', 'No such job of this order waits for a decision');
    }
    if (wait.wait.role === 'admin' && caller.role !== 'admin') {
      throw new Problem('forbidden', 'Only an admin may decide on this step');
    }
    const { decision, value, comment } = body;
    if ((decision === 'edit') !== (value !== undefined)) {
      const message = decision === 'edit' ? 'is required' : 'only goes with edit';
      throw new Problem('bad_request', 'The decision is not valid', { faults: [{ path: '/value', message }] });
    }
    await keep(parts, wait, wait.attempt, {
      decision,
      ...(value === undefined ? {} : { value: value as JsonValue }),
      ...(comment === undefined ? {} : { comment }),
      by: caller.createdBy,
    });
    await told(parts, wait.id, res);
  });
  return router;
}

/** Keeps an answer with its wait, once. @throws Problem already_answered, already_ended, invalid_input, unknown_blob */
async function keep(
  parts: AnswersParts,
  wait: AnswerableWait,
  attempt: number,
  sent: Omit<WaitDecision, 'at'>,
): Promise<void> {
  if (!isStorable([sent.value ?? null, sent.comment ?? null])) {
    throw new Problem('invalid_input', 'A text in it holds NUL or half a character');
  }
  const path = sent.decision === undefined ? '' : '/value';
  if (fileRefsIn(sent.value ?? null).length > 0) {
    const faults = [{ path, message: 'files on shares cannot be named here' }];
    throw new Problem('invalid_input', 'The answer names a file of a share', { faults });
  }
  const clientId = wait.clientId as ClientId;
  const given =
    sent.value === undefined
      ? sent
      : { ...sent, value: await ownValue(parts.store, { value: sent.value, clientId, path }) };
  const stored = async (): Promise<Omit<WaitDecision, 'at'>> =>
    given.value === undefined
      ? given
      : {
          ...given,
          value: await storeValue(parts, { value: given.value, clientId, jobId: wait.id, createdBy: given.by }),
        };
  if (wait.decision === null && wait.state === 'waiting' && wait.attempt === attempt) {
    const decision = { ...(await stored()), at: new Date().toISOString() };
    if (await answerWait(parts.store, wait.id, attempt, decision)) return;
  }
  const now = await findAnswerableWait(parts.store, wait.id);
  if (now?.decision && now.attempt === attempt) {
    if (isSame(now.decision, given)) return;
    throw new Problem('already_answered', `It was answered otherwise at ${now.decision.at}`);
  }
  throw new Problem('already_ended', `The step waits no more: it is ${now?.state ?? 'gone'}`);
}

/** Key order does not count. A value that became a blob is known by its bytes. */
function isSame(kept: WaitDecision, given: Omit<WaitDecision, 'at'>): boolean {
  if (kept.decision !== given.decision || kept.comment !== given.comment) return false;
  return isDeepStrictEqual(kept.value, given.value) || blobHash(kept.value) === hashOf(given.value);
}

function blobHash(value: JsonValue | undefined): string | null {
  return isBlobRef(value) ? value.sha256 : null;
}

function hashOf(value: JsonValue | undefined): string {
  return createHash('sha256')
    .update(JSON.stringify(value ?? null))
    .digest('hex');
}

async function told({ store }: AnswersParts, id: JobId, res: Response): Promise<void> {
  const wait = await findAnswerableWait(store, id);
  if (!wait?.decision) throw new Error('an answer that was kept is gone');
  const { by, at, decision } = wait.decision;
  const { orderId, step } = wait;
  answer<Operations['decideJob'], 200>(res, 200, {
    orderId,
    jobId: id,
    step,
    ...(decision ? { decision } : {}),
    by,
    at,
  });
}
