import type { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BlobRef } from '@connecta/contracts';
import type { Blobs, ByteRange } from '../blobs.ts';
import { downloadProblem } from '../errors.ts';
import { freeChunk } from '../free-chunk.ts';
import { parseRange } from './range.ts';

export interface ServedBlob extends BlobRef {
  fileName?: string | null;
  /** Shown as `Connecta-Expires-At`. */
  expiresAt?: Date | null;
}

/**
 * Answers GET or HEAD with a blob: ranges, `If-None-Match`, `If-Range`; its SHA-256 is its ETag. The bytes are checked on
 * the way and the connection is cut before the last of them when they are wrong.
 *
 * @throws Problem range_not_satisfiable, gone, unavailable: before anything is answered.
 */
export async function serveBlob(
  req: IncomingMessage,
  res: ServerResponse,
  from: { blobs: Blobs; blob: ServedBlob },
): Promise<void> {
  const { blob, blobs } = from;
  const etag = `"${blob.sha256}"`;
  if (matches(req.headers['if-none-match'], etag)) {
    res.writeHead(304, { etag, 'cache-control': 'private, no-cache' }).end();
    return;
  }
  const range = mayUseRange(req, etag) ? parseRange(req.headers.range, blob.size) : null;
  if (req.method === 'HEAD') {
    writeHead(res, blob, range);
    res.end();
    return;
  }
  const expect = { size: blob.size, sha256: blob.sha256 };
  const bytes = await blobs.get(blob.blobId, { range: range ?? undefined, expect }).catch((error: unknown) => {
    throw downloadProblem(error) ?? error;
  });
  writeHead(res, blob, range);
  try {
    await pipeline(bytes, freeingSink(res));
  } catch (error) {
    // The head is out and the connection cut; a reader who left is nobody's fault.
    if (bytes.errored && downloadProblem(bytes.errored)) throw error;
  }
}

/** Writes to an answer and frees each chunk when it is sent. */
function freeingSink(res: ServerResponse): Writable {
  const sink = new Writable({
    highWaterMark: 1,
    write: (chunk: Buffer, _encoding, done) => {
      res.write(chunk, (error) => {
        if (!error) freeChunk(chunk);
        done(error);
      });
    },
    final: (done) => res.end(done),
    destroy: (error, done) => {
      if (error) res.destroy();
      done(error);
    },
  });
  res.once('close', () => {
    if (!res.writableFinished) sink.destroy(new Error('the reader went away'));
  });
  return sink;
}

function writeHead(res: ServerResponse, blob: ServedBlob, range: ByteRange | null): void {
  const part = range && `bytes ${range.start}-${range.start + range.length - 1}/${blob.size}`;
  res.writeHead(range ? 206 : 200, {
    'content-type': blob.mediaType,
    'content-length': range?.length ?? blob.size,
    ...(part === null ? {} : { 'content-range': part }),
    'accept-ranges': 'bytes',
    etag: `"${blob.sha256}"`,
    'cache-control': 'private, no-cache',
    'content-disposition': contentDisposition(blob.fileName ?? blob.blobId),
    // What a client sent is never run in our origin.
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
    ...(blob.expiresAt ? { 'connecta-expires-at': blob.expiresAt.toISOString() } : {}),
  });
}

/** RFC 6266: a plain name for old readers, and the whole one as RFC 8187 has it. */
function contentDisposition(fileName: string): string {
  const plain = fileName.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName.toWellFormed()).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  return plain === fileName
    ? `attachment; filename="${plain}"`
    : `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}

function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()));
}

function mayUseRange(req: IncomingMessage, etag: string): boolean {
  const condition = req.headers['if-range'];
  return condition === undefined || condition === etag;
}
