import { createHash, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId, type BlobId, type BlobRef } from '@connecta/contracts';
import { FunctionError } from '../function/function-error.ts';
import type { JobBlobs, NewBlob } from '../function/function.ts';
import type { AttemptIdentity, BlobAccess } from '../runner/ports.ts';
import { BeApiError, errorOf, isPassing, withRetries, type BeApi, type BytesRequest } from './client.ts';

const TRIES = 5;
/** A stream that ends within this is sent as bytes: those can be sent again when the connection breaks. */
const RESENDABLE_BYTES = 4 * 1024 * 1024;

/** Blobs of jobs through be-api, under the attempt's lease. */
export class GatewayBlobs implements BlobAccess {
  readonly #beApi: BeApi;

  constructor(beApi: BeApi) {
    this.#beApi = beApi;
  }

  forAttempt(attempt: AttemptIdentity): JobBlobs {
    const path = (blobId: string): string => `/v1/jobs/${attempt.jobId}/blobs/${blobId}`;
    return {
      open: (ref) => openBlob(this.#beApi, { path: path(ref.blobId), ref, attempt }),
      create: (blob, source) => createBlob(this.#beApi, { path, blob, source, attempt }),
    };
  }
}

interface Opening {
  path: string;
  ref: BlobRef;
  attempt: AttemptIdentity;
}

async function openBlob(beApi: BeApi, opening: Opening): Promise<Readable> {
  const { attempt } = opening;
  try {
    const first = await withRetries(() => requestFrom(beApi, opening, 0), { tries: TRIES, signal: attempt.signal });
    return Readable.from(bytesOf(beApi, opening, first), { objectMode: false });
  } catch (error) {
    throw blobError(error, attempt.signal, `blob ${opening.ref.blobId} could not be read`);
  }
}

/** The bytes from an offset on. */
async function requestFrom(beApi: BeApi, { path, attempt }: Opening, offset: number): Promise<Response> {
  const range = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const headers = { 'connecta-lease': attempt.lease, traceparent: attempt.traceparent, ...range };
  const response = await beApi.send(path, { headers, signal: attempt.signal });
  if (!response.ok) throw await errorOf(response);
  if (offset > 0 && response.status !== 206) {
    await response.body?.cancel();
    throw new BeApiError(response.status, { detail: 'the range was not honoured' });
  }
  return response;
}

/** Yields the whole blob, goes on where a connection broke, and ends with an error when the bytes are not the blob's. */
async function* bytesOf(beApi: BeApi, opening: Opening, first: Response): AsyncGenerator<Uint8Array> {
  const { ref, attempt } = opening;
  const hash = createHash('sha256');
  let response: Response | undefined = first;
  let size = 0;
  for (let failures = 0; ;) {
    try {
      response ??= await requestFrom(beApi, opening, size);
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        size += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
      if (size < ref.size) throw new TypeError('the connection ended early');
      break;
    } catch (error) {
      response = undefined;
      if (attempt.signal.aborted || !isPassing(error) || ++failures >= TRIES)
        throw blobError(error, attempt.signal, `blob ${ref.blobId} could not be read to its end`);
      await sleep(100 * 2 ** failures, undefined, { signal: attempt.signal });
    }
  }
  const sha256 = hash.digest('hex');
  if (size !== ref.size || sha256 !== ref.sha256)
    throw new FunctionError('retryable', 'blob_mismatch', `blob ${ref.blobId} is not what its reference says`);
}

interface Creation {
  path: (blobId: string) => string;
  blob: NewBlob;
  source: Readable | Uint8Array;
  attempt: AttemptIdentity;
}

async function createBlob(beApi: BeApi, { path, blob, source, attempt }: Creation): Promise<BlobRef> {
  const blobId = newId<BlobId>();
  const headers: Record<string, string> = {
    'content-type': blob.mediaType,
    'connecta-lease': attempt.lease,
    traceparent: attempt.traceparent,
  };
  if (blob.fileName !== undefined) headers['connecta-file-name'] = encodeURIComponent(blob.fileName);
  const put = async (body: BytesRequest, hash: Hash): Promise<BlobRef> => {
    const response = await beApi.send(path(blobId), {
      ...body,
      method: 'PUT',
      headers: { ...headers, ...body.headers },
      duplex: 'half',
      signal: attempt.signal,
    });
    if (!response.ok) throw await errorOf(response);
    const stored = (await response.json()) as BlobRef;
    if (stored.sha256 === hash.digest('hex')) return { ...stored, blobId };
    throw new FunctionError('retryable', 'blob_mismatch', 'other bytes were stored than sent');
  };
  if (source instanceof Readable) return putStream(source, { put, attempt });
  return putBytes(source, { put, attempt });
}

interface Putting {
  put: (body: BytesRequest, hash: Hash) => Promise<BlobRef>;
  attempt: AttemptIdentity;
}

/** The same bytes under the same id are stored once, so they are sent until they are. */
function putBytes(bytes: Uint8Array, { put, attempt }: Putting): Promise<BlobRef> {
  const once = (): Promise<BlobRef> => {
    const hash = createHash('sha256').update(bytes);
    const headers = { 'connecta-sha256': hash.copy().digest('hex') };
    return put({ body: bytes as Uint8Array<ArrayBuffer>, headers }, hash);
  };
  return withRetries(once, { tries: TRIES, signal: attempt.signal }).catch((error: unknown) => {
    throw blobError(error, attempt.signal, 'a blob could not be stored');
  });
}

async function putStream(source: Readable, putting: Putting): Promise<BlobRef> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    const begun: Buffer[] = [];
    for (let size = 0; size <= RESENDABLE_BYTES;) {
      const next = await chunks.next();
      if (next.done === true) return await putBytes(Buffer.concat(begun), putting);
      begun.push(next.value);
      size += next.value.length;
    }
    return await putOnce(begun, chunks, putting);
  } finally {
    source.destroy();
  }
}

/** Sends what was read of a stream and the rest of it, as it comes. */
async function putOnce(begun: Buffer[], rest: AsyncIterator<Buffer>, { put, attempt }: Putting): Promise<BlobRef> {
  const hash = createHash('sha256');
  const failed: { error?: unknown } = {};
  const all = async function* (): AsyncGenerator<Uint8Array> {
    for (let chunk = begun.shift(); chunk; chunk = begun.shift()) {
      hash.update(chunk);
      yield chunk;
    }
    try {
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) {
        hash.update(next.value);
        yield next.value;
      }
    } catch (error) {
      failed.error = error;
      throw error;
    }
  };
  try {
    return await put({ body: ReadableStream.from(all()) }, hash);
  } catch (error) {
    // The sender's own failure is the cause, not the request that it broke.
    throw 'error' in failed ? failed.error : blobError(error, attempt.signal, 'a blob could not be stored');
  }
}

/** How the failure of a transfer is reported when the function does not catch it. */
export function blobError(error: unknown, signal: AbortSignal, what: string): unknown {
  if (signal.aborted || error instanceof FunctionError) return error;
  if (error instanceof BeApiError && !error.passing) {
    // A refused lease means that another attempt has the job: trying again is harmless, giving up would not be.
    const kind = error.status === 404 || error.status === 413 || error.status === 422 ? 'permanent' : 'retryable';
    return new FunctionError(kind, error.code, `${what}: ${error.message}`, { cause: error });
  }
  const told = error instanceof Error ? error.message : String(error);
  return new FunctionError('retryable', 'blobs_unavailable', `${what}: ${told}`, { cause: error });
}
