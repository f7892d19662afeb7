import { createHash } from 'node:crypto';
import type { BlobId } from '@connecta/contracts';

export const MIB = 1024 * 1024;

/** Lower-case hex. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export interface CallOptions {
  /** The caller; `own` by default. */
  key?: string;
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer> | FormData | string;
  /** The replica; the first one by default. */
  at?: string;
}

/** Calls the bytes routes of one replica. */
export class BytesClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  call(method: string, path: string, options: CallOptions = {}): Promise<Response> {
    const { key = 'own', headers = {}, body, at = this.#url } = options;
    return fetch(new URL(path, at), {
      method,
      headers: { authorization: `Bearer ${key}`, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** Stores a PNG of these bytes; its id. */
  async store(bytes: Uint8Array | string, options: CallOptions = {}, query = ''): Promise<BlobId> {
    const headers = { 'content-type': 'image/png', ...options.headers };
    const body = new Uint8Array(Buffer.from(bytes));
    const res = await this.call('POST', `/v1/blobs${query}`, { ...options, headers, body });
    const { blobId } = (await res.json()) as { blobId: BlobId };
    if (res.status !== 201 || res.headers.get('location') !== `/v1/blobs/${blobId}`) throw new Error('not stored');
    return blobId;
  }
}
