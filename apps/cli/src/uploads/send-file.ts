import { open } from 'node:fs/promises';
import { problemOf, type Api } from '../api/api.ts';
import type { Blob } from '../api/shapes.ts';
import { CliError, EXIT } from '../failures.ts';
import { LiveRegion, bar } from '../output/live-region.ts';
import { bytesText, spanText } from '../output/value-text.ts';
import type { Session } from '../session.ts';
import { KeptUploads } from './kept-uploads.ts';
import { readLocalFile, type LocalFile } from './local-file.ts';
import { bytesOf, sendResumable } from './resumable-upload.ts';

/** Larger files go by the resumable way. */
const ONE_GO_BYTES = 4 * 1024 * 1024;
const ONE_GO_TIMEOUT_MS = 120_000;
const BAR_COLUMNS = 30;

/** How a file is sent. */
interface Sending {
  client: string | undefined;
  quiet?: boolean;
  /** The same key for the same file gives the same blob. */
  idempotencyKey?: string;
}

/** Stores a file as a blob and gives its id. */
export async function sendFile(session: Session, path: string, sending: Sending): Promise<string> {
  return sendLocalFile(session, await readLocalFile(path, session.around.cwd), sending);
}

/** {@link sendFile} of a file that was looked at: small ones in one request, larger ones so that a cut costs little. */
export async function sendLocalFile(session: Session, file: LocalFile, sending: Sending): Promise<string> {
  const { client, quiet = false, idempotencyKey = crypto.randomUUID() } = sending;
  const { api } = session;
  if (file.size <= ONE_GO_BYTES) return sendInOneGo(api, file, { client, idempotencyKey });
  // Under a key of the caller's the gateway knows what was begun.
  const kept = sending.idempotencyKey === undefined ? new KeptUploads(session.around.env) : undefined;
  // The same bytes for the same client at the same place: whatever the file is called now.
  const key = [api.url, client ?? '', file.sha256].join(' ');
  const view = new UploadView(session, file, quiet);
  try {
    const blobId = await sendResumable(api, file, {
      client,
      idempotencyKey,
      begun: kept?.find(key),
      started: (uploadId) => kept?.keep(key, uploadId),
      progress: view,
      interrupted: session.interrupted,
    });
    kept?.forget(key);
    view.end();
    return blobId;
  } catch (error) {
    view.end();
    if (session.interrupted.aborted) {
      throw new CliError(EXIT.interrupted, `${bytesText(view.bytes)} of ${bytesText(file.size)} have been sent.`, [
        'The same command goes on from there.',
      ]);
    }
    throw error;
  }
}

async function sendInOneGo(
  api: Api,
  file: LocalFile,
  { client, idempotencyKey }: { client: string | undefined; idempotencyKey: string },
): Promise<string> {
  const query = new URLSearchParams({ fileName: file.name, ...(client ? { client } : {}) });
  const handle = await open(file.path);
  try {
    const response = await api.raw(
      `/v1/blobs?${query.toString()}`,
      {
        method: 'POST',
        headers: {
          'content-type': file.mediaType,
          'content-length': String(file.size),
          'connecta-sha256': file.sha256,
          'idempotency-key': idempotencyKey,
        },
        body: file.size === 0 ? '' : bytesOf(handle, { from: 0, to: file.size, sent: () => undefined }),
        duplex: 'half',
      },
      AbortSignal.timeout(ONE_GO_TIMEOUT_MS),
    );
    const body: unknown = await response.json().catch(() => undefined);
    if (!response.ok) throw problemOf(response, body);
    return (body as Blob).blobId;
  } finally {
    await handle.close();
  }
}

/** An upload on the terminal: a bar that moves; elsewhere a line now and then. */
class UploadView {
  bytes = 0;
  readonly #session: Session;
  readonly #file: LocalFile;
  readonly #quiet: boolean;
  readonly #region: LiveRegion | undefined;
  readonly #begun = Date.now();
  #first: number | undefined;
  #toldTenths = 0;

  /** `quiet`: many files are sent, and their sender shows how far all of them are. */
  constructor(session: Session, file: LocalFile, quiet: boolean) {
    this.#quiet = quiet;
    this.#session = session;
    this.#file = file;
    const { err } = session.print;
    this.#region =
      !quiet && err.isTTY && session.print.format === 'text' ? new LiveRegion(err, () => [this.#line()]) : undefined;
    this.#region?.begin();
  }

  sent(bytes: number): void {
    this.bytes = bytes;
    if (this.#first === undefined) {
      this.#first = bytes;
      if (bytes > 0) this.#say(`${this.#file.name}: going on at ${bytesText(bytes)}`);
    }
    this.#region?.changed();
    const tenths = Math.floor((bytes / this.#file.size) * 10);
    if (this.#region || this.#quiet || tenths <= this.#toldTenths) return;
    this.#toldTenths = tenths;
    this.#say(`${this.#file.name}: ${tenths * 10} % of ${bytesText(this.#file.size)}`);
  }

  cut(reason: string): void {
    this.#say(`${this.#file.name}: ${reason}; trying again`);
  }

  end(): void {
    this.#region?.end(true);
  }

  #say(text: string): void {
    if (this.#region) this.#region.print(text);
    else if (!this.#quiet) this.#session.print.note(text);
  }

  #line(): string {
    const { size, name } = this.#file;
    const elapsed = Date.now() - this.#begun;
    const rate = (this.bytes - (this.#first ?? 0)) / Math.max(1, elapsed);
    const left = rate > 0 && this.bytes < size ? `, ${spanText((size - this.bytes) / rate)} left` : '';
    const share = size === 0 ? 1 : this.bytes / size;
    return `${name} ${bar(share, BAR_COLUMNS)} ${bytesText(this.bytes)} of ${bytesText(size)}, ${bytesText(rate * 1000)}/s${left}`;
  }
}
