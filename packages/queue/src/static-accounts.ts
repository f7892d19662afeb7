import type { QueueAccounts } from './port.ts';

/** Accounts that somebody else makes and keeps (a managed store without ACL commands): a URL for each worker type, `*`
 * for those that are not named. */
export class StaticAccounts implements QueueAccounts {
  readonly #urls: Readonly<Record<string, string>>;

  constructor(urls: Readonly<Record<string, string>>) {
    this.#urls = urls;
  }

  assert(workerType: string): Promise<{ url: string }> {
    const url = this.#urls[workerType] ?? this.#urls['*'];
    if (url === undefined) return Promise.reject(new Error(`no account is set up for worker type '${workerType}'`));
    return Promise.resolve({ url });
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }
}
