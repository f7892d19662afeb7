import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { BeApiError, FunctionError } from '@connecta/worker-kit';
import { mediaTypeOf } from '../fetch/media-types.ts';
import { copyInto } from '../shares/regular-file.ts';
import type { Shares } from '../shares/shares.ts';
import type { Claim } from './claim-journal.ts';
import type { InboxGateway, InboxOrder } from './inbox-gateway.ts';
import type { InboxSettings } from './inbox-settings.ts';
import { moveFile, nameWith, publishFile, reserveRejected } from './place-file.ts';
import { resultFiles, type ResultFile } from './result-files.ts';

/** be-api keeps an Idempotency-Key for 24 hours; an order sent longer ago may not be sent again. */
const RESEND_LIMIT_MS = 23 * 3_600_000;

/** Thrown when a file leads to no result; `message` is the reason to leave beside it. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
}

/**
 * Answers that are not about the file: the configuration is at fault (it waits until that is mended), or the same
 * request is still being worked on.
 */
const WAITING_STATUSES: ReadonlySet<number> = new Set([401, 403, 404, 405, 409]);

/**
 * Takes one claimed file to its end: stored → ordered → watched → delivered, or rejected. Each step is noted in the
 * claim's journal before the next, so that {@link run} may be called again after any failure or crash: the blob's
 * reference is noted before the order is sent, hence the same key always goes with the same body.
 */
export class ClaimWork {
  readonly #claim: Claim;
  readonly #inbox: InboxSettings;
  readonly #gateway: InboxGateway;
  readonly #shares: Shares;
  readonly #signal: AbortSignal;

  constructor(options: {
    claim: Claim;
    inbox: InboxSettings;
    gateway: InboxGateway;
    shares: Shares;
    signal: AbortSignal;
  }) {
    this.#claim = options.claim;
    this.#inbox = options.inbox;
    this.#gateway = options.gateway;
    this.#shares = options.shares;
    this.#signal = options.signal;
  }

  /**
   * Goes on from where the journal stands. Resolves when nothing of the claim is left to do.
   *
   * @throws ClaimLost; anything else means: try again later.
   */
  async run(): Promise<void> {
    try {
      if (this.#claim.entry.rejectedAs === undefined) {
        await this.#store();
        await this.#order();
        await this.#deliver(await this.#watch());
        await this.#file();
        return;
      }
    } catch (error) {
      const rejection = toRejection(error);
      if (!rejection) throw error;
      await this.#reserve(rejection.message);
    }
    await this.#reject();
  }

  async #store(): Promise<void> {
    const { entry, data } = this.#claim;
    if (entry.blob) return;
    const before = await lstat(data, { bigint: true });
    if (!before.isFile()) throw new Rejection('It is not a plain file.');
    if (before.size === 0n) throw new Rejection('It is empty.');
    if (before.size > this.#inbox.maxBytes) {
      throw new Rejection(`It has ${before.size} bytes; at most ${this.#inbox.maxBytes} are taken.`);
    }
    const sha256 = await hashOf(data, this.#signal);
    const blob = await this.#gateway.storeFile(
      { path: data, fileName: entry.file, mediaType: mediaTypeOf(entry.file), sha256 },
      { client: this.#inbox.client, key: `inbox-${entry.claim}-blob-${sha256}`, signal: this.#signal },
    );
    const after = await lstat(data, { bigint: true });
    if (after.size !== before.size || after.mtimeNs !== before.mtimeNs) {
      throw new Error('the file changed while it was read: somebody still writes it');
    }
    await this.#claim.note({ blob });
  }

  async #order(): Promise<void> {
    const { entry } = this.#claim;
    if (entry.order !== undefined || !entry.blob) return;
    const { client, workflow, tasks } = this.#inbox;
    if (entry.sentAt !== undefined && Date.now() - Date.parse(entry.sentAt) > RESEND_LIMIT_MS) {
      throw new Rejection(
        `An order was sent at ${entry.sentAt}, and it is not known whether it arrived: look for it before sending the file again.`,
      );
    }
    if (entry.sentAt === undefined) await this.#claim.note({ sentAt: new Date().toISOString() });
    const what = { ...(workflow === undefined ? {} : { workflow }), ...(tasks ? { tasks: [...tasks] } : {}) };
    try {
      const order = await this.#gateway.placeOrder(
        { client, ...what, input: entry.blob },
        { key: `inbox-${entry.claim}-${entry.blob.sha256.slice(0, 32)}`, signal: this.#signal },
      );
      await this.#claim.note({ order });
    } catch (error) {
      if (neverArrived(error)) await this.#claim.note({ sentAt: undefined });
      throw error;
    }
  }

  async #watch(): Promise<InboxOrder> {
    const { order: id = '' } = this.#claim.entry;
    for (;;) {
      const order = await this.#gateway.watchOrder(id, this.#signal).catch((error: unknown) => {
        const gone = error instanceof BeApiError && (error.status === 404 || error.status === 410);
        throw gone ? new Rejection(`Its order ${id} is no longer known: ${error.message}`) : error;
      });
      if (order.state === 'completed') return order;
      if (order.state === 'cancelled') throw new Rejection(`Its order ${id} was cancelled.`);
      if (order.state !== 'failed') continue;
      const { code = 'unknown', message = '', step } = order.error ?? {};
      throw new Rejection(`Its order ${id} failed${step === undefined ? '' : ` in step ${step}`}: ${code} ${message}`);
    }
  }

  async #deliver({ result = null }: InboxOrder): Promise<void> {
    const { claim, file, delivered = [] } = this.#claim.entry;
    const files = resultFiles(result, file);
    for (const [index, part] of files.entries()) {
      if (index < delivered.length) continue;
      const path = join(this.#inbox.outbox, `.${claim}-${index}.part`);
      await rm(path, { force: true });
      const bounds = { maxBytes: Infinity, signal: this.#signal, durable: true };
      await copyInto(path, await this.#open(part), bounds);
      // A process that was taken for dead must not deliver what its heir delivers.
      await this.#claim.note({});
      const name = await publishFile(path, part.name, nameWith(part.name, `.${claim}`));
      delivered.push(name);
      await this.#claim.note({ delivered });
    }
  }

  async #open({ content }: ResultFile): Promise<Readable> {
    if ('json' in content) return Readable.from([Buffer.from(`${JSON.stringify(content.json, null, 2)}\n`)]);
    if ('file' in content) {
      const { handle } = await this.#shares.open(content.file);
      return handle.createReadStream();
    }
    // A result that is the input itself lies here already.
    if (content.blob.blobId === this.#claim.entry.blob?.blobId) return createReadStream(this.#claim.data);
    return this.#gateway.openBlob(content.blob, this.#signal);
  }

  /** The claimed file has served: it goes to the processed ones, or away. */
  async #file(): Promise<void> {
    const { processed } = this.#inbox;
    const { file, claim } = this.#claim.entry;
    if (processed !== undefined && (await lstat(this.#claim.data).catch(() => undefined))) {
      const free = (await lstat(join(processed, file)).catch(() => undefined)) === undefined;
      await moveFile(this.#claim.data, join(processed, free ? file : nameWith(file, `.${claim}`)));
    }
    await rm(this.#claim.folder, { recursive: true, force: true });
  }

  async #reserve(reason: string): Promise<void> {
    const { file, claim, order } = this.#claim.entry;
    const text = `${reason}\n\nfile   ${file}\ninbox  ${this.#inbox.name}\nclaim  ${claim}\norder  ${order ?? 'none'}\n`;
    const names = [file, nameWith(file, `.${claim}`)];
    await this.#claim.note({ rejectedAs: await reserveRejected(this.#inbox.rejected, names, text) });
  }

  async #reject(): Promise<void> {
    const { rejectedAs = '' } = this.#claim.entry;
    // Gone when a crash came between moving it and clearing up.
    if (await lstat(this.#claim.data).catch(() => undefined)) {
      await moveFile(this.#claim.data, join(this.#inbox.rejected, basename(rejectedAs)));
    }
    await rm(this.#claim.folder, { recursive: true, force: true });
  }
}

/** Which failures are for good. Everything else is tried again. */
function toRejection(error: unknown): Rejection | undefined {
  if (error instanceof Rejection) return error;
  if (error instanceof FunctionError) return error.kind === 'retryable' ? undefined : new Rejection(error.message);
  if (!(error instanceof BeApiError) || error.passing || WAITING_STATUSES.has(error.status)) return undefined;
  // The bytes changed between hashing and sending: somebody still writes the file.
  if (error.code === 'checksum_mismatch') return undefined;
  return new Rejection(`It was refused: ${error.message} (${error.code})`);
}

/** True when no byte of the request can have reached be-api, so that a later one is no repeat. */
function neverArrived(error: unknown): boolean {
  if (error instanceof BeApiError) return !error.passing;
  const code = (error as { cause?: { code?: string } } | undefined)?.cause?.code ?? '';
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code);
}

async function hashOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { signal })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
