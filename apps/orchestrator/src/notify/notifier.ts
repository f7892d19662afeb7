import type { Logger } from '@connecta/runtime';
import {
  collectNotices,
  collectOrderEnds,
  forgetOldDeliveries,
  forgetOldNotices,
  giveUpChannel,
  recordAttempt,
  spreadNotices,
  takeDueDeliveries,
  type Delivery,
  type Store,
} from '@connecta/store';
import { noticeMessages, orderEnded } from './messages.ts';
import { noticesOf } from './notices-of.ts';
import { retryAfter } from './retry-schedule.ts';
import type { Attempted, Message } from './sending.ts';

export interface NotifierOptions {
  store: Store;
  log: Logger;
  webhooks: { send(message: Message): Promise<Attempted> };
  /** Undefined: no mail server is configured; mails fail with these words. */
  mails: { send(message: Message): Promise<Attempted> } | undefined;
  /** The same news is told once in so long. */
  quietMs?: number;
  /** A type without a live worker is news after so long. */
  offlineGraceMs?: number;
  random?: () => number;
}

const LIMIT = 200;
/** Messages on their way at once: one receiver that hangs must not hold up the others for long. */
const SENDING = 20;
/** Longer than an attempt may take, so that no other replica sends the same message meanwhile. */
const CLAIM_MS = 120_000;
const KEEP_MS = 30 * 86_400_000;
const NO_MAIL: Attempted = { status: null, error: 'no mail server is configured (SMTP_URL)' };

/**
 * Tells the world: ends of orders to their webhooks, failures to the teams that own the tasks. What is to be told is
 * derived from the database and recorded in the transaction that marks it as told, so a crash tells nothing twice and
 * leaves nothing out; sending is at least once, under one `webhook-id`. Any number of replicas may run it.
 */
export class Notifier {
  readonly #options: Required<Omit<NotifierOptions, 'mails'>> & Pick<NotifierOptions, 'mails'>;
  /** Sends under way: a turn does not wait for a slow receiver. */
  readonly #sending = new Set<Promise<void>>();
  #stopped = false;
  #nextForgetting = 0;

  constructor(options: NotifierOptions) {
    this.#options = { quietMs: 600_000, offlineGraceMs: 10_000, random: Math.random, ...options };
  }

  /** One turn; true when there may be more to do at once. */
  async tick(): Promise<boolean> {
    const { store, quietMs, offlineGraceMs } = this.#options;
    const ends = await collectOrderEnds(store, { limit: LIMIT, toDelivery: orderEnded });
    const failures = await collectNotices(store, { limit: LIMIT, quietMs, offlineGraceMs, decide: noticesOf });
    const notices = await spreadNotices(store, { limit: LIMIT, toDeliveries: noticeMessages });
    const sent = await this.#send();
    await this.#forget();
    return [ends, failures, notices].some(({ taken }) => taken >= LIMIT) || sent;
  }

  /** Takes no more messages and waits for those that are on their way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.settled();
  }

  /** Resolves when the messages that are on their way now have been taken or not. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  /** True when all free places were filled: more may be due. */
  async #send(): Promise<boolean> {
    const free = SENDING - this.#sending.size;
    if (free <= 0 || this.#stopped) return false;
    const due = await takeDueDeliveries(this.#options.store, { limit: free, claimMs: CLAIM_MS });
    for (const delivery of due) {
      const attempt: Promise<void> = this.#attempt(delivery)
        .catch((error: unknown) => this.#options.log.warn({ err: error, delivery: delivery.id }, 'not recorded'))
        .finally(() => this.#sending.delete(attempt));
      this.#sending.add(attempt);
    }
    return due.length === free;
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { store, log, webhooks, mails, random } = this.#options;
    const { id, kind, attempts } = delivery;
    const {
      status,
      error,
      gone = false,
      retryAfterMs,
    } = kind === 'webhook' ? await webhooks.send(delivery) : ((await mails?.send(delivery)) ?? NO_MAIL);
    const retryMs = error === null || gone ? null : retryAfter(attempts, random(), retryAfterMs);
    await recordAttempt(store, { id, attempt: attempts, status, error, retryMs });
    if (error === null) return;
    const facts = { delivery: id, target: delivery.target, attempt: attempts, reason: error };
    if (retryMs !== null) {
      log.info({ ...facts, retryMs }, 'a message was not taken; it is sent again');
      return;
    }
    log.warn(facts, 'a message was given up');
    if (delivery.channelId !== null) await this.#giveUp(delivery, gone ? 'it is gone (410)' : error);
  }

  /** A channel that took no attempt of a message for days is switched off, and its team told over the others. */
  async #giveUp({ channelId, team, target }: Delivery, reason: string): Promise<void> {
    const subject = { target, reason };
    const dedupKey = `channel_disabled ${channelId ?? ''} ${Date.now()}`;
    await giveUpChannel(this.#options.store, {
      channelId: channelId ?? '',
      reason,
      notice: { team: team ?? '', kind: 'channel_disabled', dedupKey, subject },
    });
  }

  async #forget(): Promise<void> {
    const now = Date.now();
    if (now < this.#nextForgetting) return;
    this.#nextForgetting = now + 600_000;
    await forgetOldNotices(this.#options.store, KEEP_MS, 1000);
    await forgetOldDeliveries(this.#options.store, KEEP_MS, 1000);
  }
}
