import { createHmac, timingSafeEqual } from 'node:crypto';
import { isId, longId, shortId, type JobId } from './ids.ts';

/** Which wait a callback answers: a new attempt of it has a token of its own. */
export interface CallbackTarget {
  jobId: JobId;
  attempt: number;
}

const TOKEN = /^([A-Za-z0-9_-]{22})\.([1-9][0-9]{0,8})\.([A-Za-z0-9_-]{43})$/;

const macOf = (key: string, { jobId, attempt }: CallbackTarget): Buffer =>
  createHmac('sha256', Buffer.from(key, 'base64url')).update(`callback:${jobId}:${attempt}`).digest();

/** The token of a waiting job's callback: `<job>.<attempt>.<HMAC-SHA256>`, nothing of which can be guessed. */
export function callbackToken(key: string, target: CallbackTarget): string {
  return `${shortId(target.jobId)}.${target.attempt}.${macOf(key, target).toString('base64url')}`;
}

/** What a token was made for; null when it was not made with this key. */
export function readCallbackToken(key: string, token: string): CallbackTarget | null {
  const [, short = '', attempt, mac = ''] = TOKEN.exec(token) ?? [];
  if (attempt === undefined) return null;
  const target = { jobId: longId<JobId>(short), attempt: Number(attempt) };
  const given = Buffer.from(mac, 'base64url');
  if (!isId(target.jobId) || given.length !== 32 || !timingSafeEqual(given, macOf(key, target))) return null;
  return callbackToken(key, target) === token ? target : null;
}
