import { Readable, finished } from 'node:stream';
import { createHash } from 'node:crypto';
import type { BlockBlobClient } from '@azure/storage-blob';
import type { AnnouncedBytes } from '../blobs.ts';
import { BytesMismatchError } from '../errors.ts';
import type { YoungGarbage } from '../young-garbage.ts';
import { named } from './storage-errors.ts';

const MAX_RESUMES = 5;
const IDLE_MS = 30_000;

export interface Download {
  garbage: YoungGarbage;
  client: BlockBlobClient;
  start: number;
  /** Bytes to read; undefined: to the end. */
  length: number | undefined;
  /** What the bytes read must be. */
  expect: AnnouncedBytes;
  /** The first answer of storage, whose body was not read yet, and which version of the blob it speaks of. */
  first: { body: Readable; etag: string | undefined; abort: AbortController };
}

/** The bytes of a download, resumed where a connection broke, checked at the end before the last of them is let go. */
export function readStream(download: Download): Readable {
  const cancel = new AbortController();
  const stream = Readable.from(checked(resuming(download, cancel.signal), download.expect), {
    objectMode: false,
    // One chunk at a time: a reader who is behind would be given several as one, copied.
    highWaterMark: 1,
  });
  // A generator that waits for bytes cannot be returned from: the request behind it is cancelled instead.
  stream.once('close', () => cancel.abort());
  return stream;
}

async function* checked(source: AsyncIterable<Buffer>, expect: AnnouncedBytes): AsyncGenerator<Buffer> {
  const hash = expect.sha256 === undefined ? null : createHash('sha256');
  let size = 0;
  let held: Buffer | undefined;
  for await (const chunk of source) {
    if (held) yield held;
    hash?.update(chunk);
    size += chunk.length;
    held = chunk;
    if (expect.size !== undefined && size > expect.size) break;
  }
  if (expect.size !== undefined && size !== expect.size) throw new BytesMismatchError('size', expect.size, size);
  const sha256 = hash?.digest('hex');
  if (sha256 !== undefined && sha256 !== expect.sha256) {
    throw new BytesMismatchError('sha256', expect.sha256 ?? '', sha256);
  }
  if (held) yield held;
}

async function* resuming(download: Download, cancelled: AbortSignal): AsyncGenerator<Buffer> {
  const { client, length, first } = download;
  let read = 0;
  let { body, abort } = first;
  cancelled.addEventListener('abort', () => abort.abort(), { once: true });
  for (let resumes = 0; ; resumes++) {
    try {
      for await (const chunk of watched(body, abort)) {
        read += chunk.length;
        download.garbage.note(chunk.length);
        yield chunk;
      }
      return;
    } catch (error) {
      // A fault in the bytes themselves is nothing that another connection mends; neither is a reader who went away.
      if (cancelled.aborted || resumes === MAX_RESUMES) throw named(error, 'reading a blob');
      if (length !== undefined && read >= length) return;
    }
    abort = new AbortController();
    const rest = length === undefined ? undefined : length - read;
    body = await openBody(client, { start: download.start + read, length: rest, etag: first.etag, abort });
  }
}

async function openBody(
  client: BlockBlobClient,
  at: { start: number; length: number | undefined; etag: string | undefined; abort: AbortController },
): Promise<Readable> {
  try {
    const answer = await client.download(at.start, at.length, {
      abortSignal: at.abort.signal,
      maxRetryRequests: 0,
      ...(at.etag === undefined ? {} : { conditions: { ifMatch: at.etag } }),
    });
    return answer.readableStreamBody as Readable;
  } catch (error) {
    throw named(error, 'reading a blob');
  }
}

/** The chunks of a body; the request is given up when storage sends nothing for half a minute. */
async function* watched(body: Readable, abort: AbortController): AsyncGenerator<Buffer> {
  let waiting = false;
  const idle = setTimeout(() => {
    if (waiting) abort.abort();
  }, IDLE_MS);
  idle.unref();
  const chunks = chunkByChunk(body);
  try {
    for (;;) {
      waiting = true;
      idle.refresh();
      const next = await chunks.next();
      // A slow reader keeps this generator suspended at the yield: that is not storage's fault.
      waiting = false;
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    clearTimeout(idle);
    body.destroy();
  }
}

/** The chunks of a stream as they came: its own iterator makes one copy of all that wait. */
async function* chunkByChunk(body: Readable): AsyncGenerator<Buffer> {
  const waiting: Buffer[] = [];
  let ended = false;
  let wake = (): void => undefined;
  body.on('data', (chunk: Buffer) => {
    waiting.push(chunk);
    body.pause();
    wake();
  });
  finished(body, () => {
    ended = true;
    wake();
  });
  for (;;) {
    const chunk = waiting.shift();
    if (chunk) {
      yield chunk;
    } else if (ended) {
      if (body.errored) throw body.errored;
      if (!body.readableEnded) throw new Error('the connection to storage was cut');
      return;
    } else {
      await new Promise<void>((resolve) => {
        wake = resolve;
        body.resume();
      });
    }
  }
}
