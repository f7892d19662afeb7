import { request, type ClientRequest } from 'node:http';
import type { BlobId } from '@connecta/contracts';

export const BYTES = 'application/offset+octet-stream';

export const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The blob that an upload's path names. */
export const idOf = (path: string): BlobId => path.split('/').at(-1) as BlobId;

export interface TusOptions {
  key?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
}

/** One request of the tus protocol to a replica. */
export function tus(url: string, method: string, path: string, options: TusOptions = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${options.key ?? 'own'}`, 'tus-resumable': '1.0.0', ...options.headers };
  return fetch(new URL(path, url), { method, headers, ...(options.body ? { body: options.body } : {}) });
}

/** Begins an upload (of a length to be told later: null); its path. */
export async function create(url: string, size: number | null, metadata = '', key = 'own'): Promise<string> {
  const length = size === null ? { 'upload-defer-length': '1' } : { 'upload-length': String(size) };
  const headers = { ...length, ...(metadata === '' ? {} : { 'upload-metadata': metadata }) };
  const res = await tus(url, 'POST', '/v1/uploads', { headers, key });
  if (res.status !== 201) throw new Error(`no upload: ${await res.text()}`);
  return res.headers.get('location') ?? '';
}

export function patch(url: string, path: string, offset: number, body: Buffer, headers = {}): Promise<Response> {
  return tus(url, 'PATCH', path, {
    headers: { 'content-type': BYTES, 'upload-offset': String(offset), ...headers },
    body: new Uint8Array(body),
  });
}

export async function offsetOf(url: string, path: string): Promise<number> {
  const res = await tus(url, 'HEAD', path);
  return res.status === 200 ? Number(res.headers.get('upload-offset')) : NaN;
}

/** Begins a PATCH, sends a part of what it announces, and leaves the rest to the test. */
export async function beginPatch(
  url: string,
  path: string,
  at: { offset: number; announce: number; send: Buffer },
): Promise<ClientRequest> {
  const req = request(new URL(path, url), {
    method: 'PATCH',
    headers: {
      authorization: 'Bearer own',
      'tus-resumable': '1.0.0',
      'content-type': BYTES,
      'upload-offset': String(at.offset),
      'content-length': String(at.announce),
    },
  });
  req.on('error', () => undefined);
  await new Promise<void>((resolve) => req.write(at.send, () => resolve()));
  return req;
}

/** A stored blob's bytes. */
export async function read(url: string, id: string): Promise<Buffer> {
  const res = await fetch(new URL(`/v1/blobs/${id}`, url), { headers: { authorization: 'Bearer own' } });
  if (res.status !== 200) throw new Error(`no blob: ${await res.text()}`);
  return Buffer.from(await res.arrayBuffer());
}
