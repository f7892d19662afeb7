import { createTransport, type Transporter } from 'nodemailer';
import { mailOf } from './messages.ts';
import type { Attempted, Message } from './sending.ts';

export interface MailOptions {
  /** `smtp://user:password@host:port`, or `smtps://…`. */
  url: string;
  from: string;
  timeoutMs: number;
}

/** Sends mails through one SMTP server. */
export class MailSender {
  readonly #transport: Transporter;
  readonly #from: string;

  constructor({ url, from, timeoutMs }: MailOptions) {
    const times = { connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs };
    this.#transport = createTransport({ url, pool: true, maxConnections: 2, disableFileAccess: true, ...times });
    this.#from = from;
  }

  /** One attempt; never rejects. The delivery's id is in the Message-ID, so a repeat is recognised as one. */
  async send({ id, target, body }: Message): Promise<Attempted> {
    try {
      await this.#transport.sendMail({
        from: this.#from,
        // As an object it is one address, whatever it holds.
        to: { name: '', address: target },
        messageId: `<${id}@connecta>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
        ...mailOf(body),
      });
      return { status: null, error: null };
    } catch (error) {
      const { message, responseCode } = error as Error & { responseCode?: number };
      return { status: responseCode ?? null, error: message.slice(0, 500) };
    }
  }

  close(): void {
    this.#transport.close();
  }
}
