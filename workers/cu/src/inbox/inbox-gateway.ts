import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { blobRefSchema, type BlobRef, type JsonValue } from '@connecta/contracts';
import { dataOf, errorOf, type BeApi } from '@connecta/worker-kit';

/** How long be-api may hold a question for an order's end. */
const LONG_POLL_S = 20;

/** An order as an inbox sees it. */
export interface InboxOrder {
  readonly id: string;
  readonly state: 'accepted' | 'active' | 'completed' | 'failed' | 'cancelled';
  readonly result?: JsonValue | undefined;
  readonly error?: { readonly code: string; readonly message: string; readonly step?: string | undefined } | undefined;
}

/** What an inbox asks of be-api, as the service account of its worker type. */
export class InboxGateway {
  readonly #beApi: BeApi;

  constructor(beApi: BeApi) {
    this.#beApi = beApi;
  }

  /** Stores a file as a blob of the client. The same key and bytes again give the same blob. */
  async storeFile(
    file: { path: string; fileName: string; mediaType: string; sha256: string },
    options: { client: string; key: string; signal: AbortSignal },
  ): Promise<BlobRef> {
    const response = await this.#beApi.send(`/v1/blobs?client=${encodeURIComponent(options.client)}`, {
      method: 'POST',
      headers: {
        'content-type': file.mediaType,
        'connecta-sha256': file.sha256,
        'connecta-file-name': encodeURIComponent(file.fileName),
        'idempotency-key': options.key,
      },
      body: Readable.toWeb(createReadStream(file.path)) as ReadableStream<Uint8Array>,
      duplex: 'half',
      signal: options.signal,
    });
    if (!response.ok) throw await errorOf(response);
    return blobRefSchema.parse(await response.json());
  }

  async placeOrder(
    order: { client: string; workflow?: string; tasks?: string[]; input: BlobRef },
    options: { key: string; signal: AbortSignal },
  ): Promise<string> {
    const header = { 'Idempotency-Key': options.key };
    const call = this.#beApi.calls.POST('/v1/orders', { params: { header }, body: order, signal: options.signal });
    return (await dataOf(call)).id;
  }

  /** Waits a while for the order's end and tells how it is then. */
  async watchOrder(id: string, signal: AbortSignal): Promise<InboxOrder> {
    const params = { path: { id }, query: { wait: LONG_POLL_S } };
    const order = await dataOf(this.#beApi.calls.GET('/v1/orders/{id}', { params, signal }));
    return order as InboxOrder;
  }

  /** The bytes of a blob; they end with an error when they are not those of the reference. */
  async openBlob(ref: BlobRef, signal: AbortSignal): Promise<Readable> {
    const response = await this.#beApi.send(`/v1/blobs/${ref.blobId}`, { signal });
    if (!response.ok) throw await errorOf(response);
    return Readable.from(checked((response.body ?? []) as AsyncIterable<Uint8Array>, ref), { objectMode: false });
  }
}

async function* checked(bytes: AsyncIterable<Uint8Array>, ref: BlobRef): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== ref.sha256) throw new TypeError(`the bytes of blob ${ref.blobId} came damaged`);
}
