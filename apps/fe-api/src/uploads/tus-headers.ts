import { Problem } from '@connecta/contracts';
import type { IncomingMessage } from 'node:http';

export const TUS_VERSION = '1.0.0';
export const TUS_EXTENSIONS = 'creation,creation-with-upload,creation-defer-length,checksum,expiration,termination';

/** Digests that `Upload-Checksum` may name, and what node:crypto calls them. */
export const TUS_CHECKSUMS = ['sha1', 'sha256', 'md5'] as const;
export type TusChecksum = { algorithm: (typeof TUS_CHECKSUMS)[number]; digest: Buffer };

const MAX_METADATA_BYTES = 8192;

function fault(header: string, message: string): Problem {
  return new Problem('bad_request', `${header} ${message}.`, {
    faults: [{ path: `header:${header.toLowerCase()}`, message }],
  });
}

function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(',') : value;
}

/** @throws Problem precondition_failed when the request speaks another version of the protocol, or none. */
export function requireTus(req: IncomingMessage): void {
  const version = headerOf(req, 'Tus-Resumable');
  if (version === TUS_VERSION) return;
  throw new Problem('precondition_failed', `Send Tus-Resumable: ${TUS_VERSION}.`, {
    headers: { 'Tus-Version': TUS_VERSION },
  });
}

/** A header that counts bytes. @throws Problem bad_request */
export function byteCount(req: IncomingMessage, name: 'Upload-Length' | 'Upload-Offset'): number | undefined {
  const text = headerOf(req, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw fault(name, 'must be a number of bytes');
  return Number(text);
}

/** The length of a new upload; null when it will be told later. @throws Problem bad_request */
export function lengthOfNew(req: IncomingMessage): number | null {
  const length = byteCount(req, 'Upload-Length');
  const deferred = headerOf(req, 'Upload-Defer-Length');
  if (deferred !== undefined && deferred !== '1') throw fault('Upload-Defer-Length', 'must be 1');
  if ((length === undefined) === (deferred === undefined)) {
    throw fault('Upload-Length', 'must be sent, or Upload-Defer-Length in its place');
  }
  return length ?? null;
}

/** `Upload-Metadata`: names with base64 values (a name alone stands for the empty text). @throws Problem bad_request */
export function metadataOf(req: IncomingMessage): { [name: string]: string } {
  const header = headerOf(req, 'Upload-Metadata') ?? '';
  if (Buffer.byteLength(header) > MAX_METADATA_BYTES) throw fault('Upload-Metadata', 'is too long');
  const metadata = new Map<string, string>();
  for (const pair of header.split(',').filter((text) => text.trim() !== '')) {
    const [name = '', value = '', ...rest] = pair.trim().split(' ');
    const text = decodeText(value);
    if (rest.length > 0 || !/^[\x21-\x7e]+$/.test(name) || text === null || metadata.has(name)) {
      throw fault('Upload-Metadata', 'must be a list of different names, each with one base64 value of UTF-8 text');
    }
    metadata.set(name, text);
  }
  return Object.fromEntries(metadata);
}

/** The inverse of {@link metadataOf}. */
export function metadataHeader(metadata: { [name: string]: string }): string {
  return Object.entries(metadata)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`.trim())
    .join(',');
}

/** The digest that the body of this request must have. @throws Problem bad_request */
export function checksumOf(req: IncomingMessage): TusChecksum | null {
  const header = headerOf(req, 'Upload-Checksum');
  if (header === undefined) return null;
  const [name, value = '', ...rest] = header.trim().split(' ');
  const algorithm = TUS_CHECKSUMS.find((known) => known === name);
  if (!algorithm || !isBase64(value) || rest.length > 0) {
    throw fault('Upload-Checksum', `must be one of ${TUS_CHECKSUMS.join(', ')} and a base64 digest`);
  }
  return { algorithm, digest: Buffer.from(value, 'base64') };
}

function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text);
}

function decodeText(base64: string): string | null {
  if (!isBase64(base64)) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}
