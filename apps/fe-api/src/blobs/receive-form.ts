import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Problem, type ClientId } from '@connecta/contracts';
import { bodyOf, dropBody, fileNameFrom, mediaTypeFrom, receiveBlobOnce, type BlobIntake } from '@connecta/intake';
import { removeBlob, type Blob } from '@connecta/store';
import busboy, { type Busboy, type FileInfo } from 'busboy';
import type { Request } from 'express';

export interface FormOptions {
  /**
   * Whose the file is, by the fields that came before it. Rule for senders: what names the client stands before the
   * file, since its bytes are stored as they arrive.
   */
  ownerOf(fieldsBefore: ReadonlyMap<string, string>): Promise<ClientId>;
  createdBy: string;
  /** Makes a repeat bring the blob of the first request. */
  idempotencyKey?: string | undefined;
}

/** What a form's file became. */
export interface ReceivedFile {
  blob: Blob;
  /** True when an earlier request under the same Idempotency-Key stored it. */
  repeated: boolean;
}

/** A form as it came in: the text of its fields, and its part `file` as a blob. */
export interface ReceivedForm {
  fields: Map<string, string>;
  file: ReceivedFile | null;
  /** Removes the blob again: for a form whose fields turn out to be wrong. */
  discard(): Promise<void>;
}

const MAX_FIELD_BYTES = 4 * 1024 * 1024;
const MAX_FIELDS = 50;

/**
 * Reads `multipart/form-data`: the part `file` streams into a blob of the client, everything else is text.
 *
 * @throws Problem bad_request (malformed or truncated, an unknown file part, a field twice), too_large, unavailable, and
 *   what `ownerOf` throws. Nothing stays stored then.
 */
export async function receiveForm(req: Request, intake: BlobIntake, options: FormOptions): Promise<ReceivedForm> {
  const form = new Form(intake, options);
  try {
    await pipeline(Readable.from(bodyOf(req)), form.parser(req));
    const file = await form.file;
    return { fields: form.fields, file, discard: () => form.discard() };
  } catch (error) {
    dropBody(req);
    await form.discard();
    throw form.fault ?? (error instanceof Problem ? error : malformed(error));
  }
}

class Form {
  readonly fields = new Map<string, string>();
  file: Promise<ReceivedFile | null> = Promise.resolve(null);
  /** The first thing that was wrong: what the parser says afterwards is only a consequence. */
  fault: Error | undefined;
  readonly #intake: BlobIntake;
  readonly #options: FormOptions;
  #parser: Busboy | undefined;

  constructor(intake: BlobIntake, options: FormOptions) {
    this.#intake = intake;
    this.#options = options;
  }

  parser(req: Request): Busboy {
    const limits = { files: 1, fields: MAX_FIELDS, fieldSize: MAX_FIELD_BYTES, fieldNameSize: 100 };
    const parser = busboy({ headers: req.headers, limits, defParamCharset: 'utf8' });
    parser.on('field', (name, value, { nameTruncated, valueTruncated }) => {
      if (nameTruncated || valueTruncated) this.#fail(new Problem('too_large', 'A field of the form is too large.'));
      else if (this.fields.has(name)) this.#fail(wrongPart(name, 'is there twice'));
      else this.fields.set(name, value);
    });
    parser.on('file', (name, stream, info) => this.#take(name, stream, info));
    parser.on('filesLimit', () => this.#fail(wrongPart('file', 'may be one only')));
    parser.on('fieldsLimit', () => this.#fail(new Problem('too_large', `A form has at most ${MAX_FIELDS} fields.`)));
    this.#parser = parser;
    return parser;
  }

  async discard(): Promise<void> {
    const file = await this.file.catch(() => null);
    if (!file || file.repeated) return;
    // Where this fails the blob is one that nothing refers to, and expires.
    await removeBlob(this.#intake.store, this.#intake.blobs, file.blob.id).catch(() => undefined);
  }

  #take(name: string, stream: Readable, info: FileInfo): void {
    // A stream that nobody listens to must not end the process when the form breaks off.
    stream.on('error', () => undefined);
    if (name !== 'file') {
      stream.resume();
      this.#fail(wrongPart(name, 'is a file; the one file of this form is called "file"'));
      return;
    }
    this.file = this.#store(stream, info).catch((error: unknown) => {
      stream.resume();
      this.#fail(error instanceof Error ? error : new Error('storing the file failed', { cause: error }));
      throw error;
    });
    this.file.catch(() => undefined);
  }

  async #store(stream: Readable, info: FileInfo): Promise<ReceivedFile> {
    const clientId = await this.#options.ownerOf(this.fields);
    return receiveBlobOnce(this.#intake, unlessTruncated(stream), {
      clientId,
      createdBy: this.#options.createdBy,
      idempotencyKey: this.#options.idempotencyKey,
      mediaType: mediaTypeFrom(info.mimeType),
      fileName: fileNameFrom(info.filename),
    });
  }

  #fail(fault: Error): void {
    this.fault ??= fault;
    this.#parser?.destroy(fault);
  }
}

/** A part whose form broke off ends with an error of the parser's: to the sender the same as a body that broke off. */
async function* unlessTruncated(stream: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
  } catch (cause) {
    throw malformed(cause);
  }
  if (!stream.readableEnded) throw malformed();
}

function malformed(cause?: unknown): Problem {
  return new Problem('bad_request', 'The form is malformed or broke off; nothing was stored.', { cause });
}

function wrongPart(name: string, message: string): Problem {
  const path = `/${name.slice(0, 100)}`;
  return new Problem('bad_request', `The part ${path.slice(1)} ${message}.`, { faults: [{ path, message }] });
}
