import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { problemOf, type Api } from '../api/api.ts';
import { CliError, EXIT } from '../failures.ts';
import type { LocalFile } from './local-file.ts';

const TUS = { 'tus-resumable': '1.0.0' };
/** What one request carries: a cut costs no more than this, since the gateway keeps whatever arrived of it. */
const CHUNK_BYTES = 16 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
/** Tries without a byte of progress between them. */
const MOST_TRIES = 8;
const CHUNK_TIMEOUT_MS = 10 * 60_000;

/** How far an upload is. */
export interface UploadProgress {
  sent(bytes: number): void;
  /** The connection broke; the upload goes on by itself. */
  cut(reason: string): void;
}

/**
 * Sends a file by the tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload) and gives the blob's id. After a cut
 * it asks how much has arrived and goes on from there; so it does with `begun`, an upload of an earlier command.
 *
 * @throws ProblemError, UnreachableError when nothing has moved for several tries.
 */
export async function sendResumable(
  api: Api,
  file: LocalFile,
  options: {
    client: string | undefined;
    idempotencyKey: string;
    begun: string | undefined;
    started: (uploadId: string) => void;
    progress: UploadProgress;
    interrupted: AbortSignal;
  },
): Promise<string> {
  const { progress, interrupted } = options;
  const handle = await open(file.path);
  try {
    let uploadId = options.begun;
    let offset = uploadId === undefined ? undefined : await arrivedOf(api, uploadId, file.size);
    if (uploadId === undefined || offset === undefined) {
      const made = await create(api, file, options);
      uploadId = made.id;
      options.started(uploadId);
      offset = made.offset;
    }
    progress.sent(offset);
    for (let tries = 0; offset < file.size;) {
      try {
        const next: number = await append(api, handle, { uploadId, offset, size: file.size, progress });
        tries = next > offset ? 0 : tries + 1;
        offset = next;
      } catch (error) {
        if (interrupted.aborted || !isCut(error) || tries + 1 >= MOST_TRIES) throw error;
        tries += 1;
        progress.cut((error as Error).message);
        await sleep(Math.min(500 * 2 ** tries, 10_000), undefined, { signal: interrupted }).catch(() => undefined);
        const arrived: number | undefined = await arrivedOf(api, uploadId, file.size).catch(() => undefined);
        if (arrived !== undefined && arrived > offset) tries = 0;
        offset = arrived ?? offset;
        progress.sent(offset);
      }
    }
    return uploadId;
  } finally {
    await handle.close();
  }
}

/** A broken connection, a gateway that restarts, an offset that another try had moved: asking again helps. */
function isCut(error: unknown): boolean {
  if (!(error instanceof CliError)) return true;
  return error.exitCode === EXIT.unreachable || error.exitCode === EXIT.unavailable || error.exitCode === EXIT.conflict;
}

async function create(
  api: Api,
  file: LocalFile,
  { client, idempotencyKey }: { client: string | undefined; idempotencyKey: string },
): Promise<{ id: string; offset: number }> {
  const metadata = {
    filename: file.name,
    filetype: file.mediaType,
    sha256: file.sha256,
    ...(client ? { client } : {}),
  };
  const response = await api.raw('/v1/uploads', {
    method: 'POST',
    headers: {
      ...TUS,
      'idempotency-key': idempotencyKey,
      'upload-length': String(file.size),
      'upload-metadata': Object.entries(metadata)
        .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
        .join(','),
    },
  });
  await refuse(response);
  const id = response.headers.get('location')?.split('/').at(-1);
  if (!id) throw new CliError(EXIT.unavailable, 'The upload was begun without an address.');
  return { id, offset: Number(response.headers.get('upload-offset') ?? 0) };
}

/** How many bytes have arrived; undefined when the upload is not known any more, or is of another size. */
async function arrivedOf(api: Api, uploadId: string, size: number): Promise<number | undefined> {
  const response = await api.raw(`/v1/uploads/${uploadId}`, { method: 'HEAD', headers: TUS });
  if (response.status === 404 || response.status === 410) return undefined;
  await refuse(response);
  const length = response.headers.get('upload-length');
  if (length !== null && Number(length) !== size) return undefined;
  const offset = Number(response.headers.get('upload-offset'));
  return Number.isSafeInteger(offset) && offset >= 0 && offset <= size ? offset : undefined;
}

async function append(
  api: Api,
  handle: FileHandle,
  part: { uploadId: string; offset: number; size: number; progress: UploadProgress },
): Promise<number> {
  const { uploadId, offset, progress } = part;
  const end = Math.min(offset + CHUNK_BYTES, part.size);
  const response = await api.raw(
    `/v1/uploads/${uploadId}`,
    {
      method: 'PATCH',
      headers: {
        ...TUS,
        'content-type': 'application/offset+octet-stream',
        'upload-offset': String(offset),
        'content-length': String(end - offset),
      },
      body: bytesOf(handle, { from: offset, to: end, sent: (bytes) => progress.sent(bytes) }),
      duplex: 'half',
    },
    AbortSignal.timeout(CHUNK_TIMEOUT_MS),
  );
  await refuse(response);
  const arrived = Number(response.headers.get('upload-offset'));
  return Number.isSafeInteger(arrived) ? arrived : end;
}

/** A part of the file as a stream that is read as the network takes it. */
export function bytesOf(
  handle: FileHandle,
  { from, to, sent }: { from: number; to: number; sent: (bytes: number) => void },
): ReadableStream<Uint8Array> {
  let position = from;
  return new ReadableStream({
    async pull(controller) {
      const wanted = Math.min(READ_BYTES, to - position);
      if (wanted <= 0) {
        controller.close();
        return;
      }
      const { bytesRead, buffer } = await handle.read(new Uint8Array(wanted), 0, wanted, position);
      if (bytesRead === 0) {
        controller.error(new CliError(EXIT.invalid, 'The file became shorter while it was sent.'));
        return;
      }
      controller.enqueue(buffer.subarray(0, bytesRead));
      position += bytesRead;
      sent(position);
    },
  });
}

async function refuse(response: Response): Promise<void> {
  if (response.ok) return;
  throw problemOf(response, await response.json().catch(() => undefined));
}
