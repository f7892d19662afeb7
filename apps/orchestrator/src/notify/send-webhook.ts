import { GuardedFetch, webhookSecret, type AllowedHosts } from '@connecta/runtime';
import { Webhook } from 'standardwebhooks';
import type { Attempted, Message } from './sending.ts';

const ERROR_CHARS = 500;

export interface WebhookOptions {
  /** Base64url: the secrets of the receivers are derived from it. */
  key: string;
  /** Hosts that may be called although they are in the private network. */
  hosts: AllowedHosts;
  timeoutMs: number;
}

/** Calls webhooks, signed as Standard Webhooks asks for (https://www.standardwebhooks.com). */
export class WebhookSender {
  readonly #key: string;
  readonly #hosts: AllowedHosts;
  readonly #inside: GuardedFetch;
  readonly #outside: GuardedFetch;

  constructor({ key, hosts, timeoutMs }: WebhookOptions) {
    this.#key = key;
    this.#hosts = hosts;
    this.#inside = new GuardedFetch({ timeoutMs });
    this.#outside = new GuardedFetch({ timeoutMs, forbidden: 'private' });
  }

  /** One attempt; never rejects. `gone`: the receiver says that it will never take messages again. */
  async send({ id, target, signedAs, body }: Message): Promise<Attempted> {
    try {
      const payload = JSON.stringify(body);
      const now = new Date();
      const signature = new Webhook(webhookSecret(this.#key, signedAs)).sign(id, now, payload);
      const request = new Request(target, {
        method: 'POST',
        body: payload,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Connecta',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': signature,
        },
      });
      const { fetch } = this.#hosts.allows(target) ? this.#inside : this.#outside;
      const answer = await fetch(request);
      if (answer.ok) return { status: answer.status, error: null };
      const said = (await answer.text()).slice(0, ERROR_CHARS).replace(/[^\P{Cc}\n]/gu, '');
      return {
        status: answer.status,
        error: `answered ${answer.status}${said === '' ? '' : `: ${said}`}`,
        gone: answer.status === 410,
        retryAfterMs: retryAfterOf(answer.headers.get('retry-after'), now),
      };
    } catch (error) {
      return { status: null, error: messageOf(error) };
    }
  }

  close(): void {
    this.#inside.close();
    this.#outside.close();
  }
}

/** Seconds or a date (RFC 9110). */
function retryAfterOf(header: string | null, now: Date): number {
  if (header === null) return 0;
  const ms = /^\d{1,6}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return Number.isFinite(ms) ? Math.max(ms, 0) : 0;
}

function messageOf(error: unknown): string {
  const { name = '', message = '' } = (error ?? {}) as Partial<Error>;
  // The request's own time is what aborts it.
  if (name === 'TimeoutError' || name === 'AbortError') return 'did not answer in time';
  return (message || name || 'failed').slice(0, ERROR_CHARS);
}
