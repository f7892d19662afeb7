import {
  fileRefsIn,
  isBlobRef,
  isDeeperThan,
  type BlobRef,
  type JobMessage,
  type JsonValue,
} from '@connecta/contracts';
import { FunctionError } from '../function/function-error.ts';
import type { JobBlobs } from '../function/function.ts';

/** The largest JSON blob that is read into memory as a value. */
export const MAX_JSON_INPUT_BYTES = 16 * 1024 * 1024;
const JSON_MEDIA_TYPE = /^application\/json\s*(?:;|$)/;

/** The input that needs no reading; undefined when it is, or holds, a large JSON value that travels as a blob. */
export function inlineInput(message: JobMessage, jsonBlobs: 'value' | 'blob'): JsonValue | undefined {
  if (message.blobId !== undefined) {
    const ref = blobOf(message);
    return jsonBlobs === 'value' && isJson(ref) ? undefined : ref;
  }
  if (message.file !== undefined) return { file: message.file };
  const value = message.value ?? null;
  if (jsonBlobs === 'blob' || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return isJsonBlob(value) || Object.values(value).some(isJsonBlob) ? undefined : value;
}

/**
 * The input with large JSON values read back: the input itself, or one step's part of an input of several steps.
 * For a function that takes files, nobody vouches for those that bytes name.
 *
 * @throws FunctionError invalid_input, input_too_large, file_not_allowed.
 */
export async function readInput(message: JobMessage, blobs: JobBlobs, takesFiles: boolean): Promise<JsonValue> {
  const read = async (ref: BlobRef): Promise<JsonValue> => {
    const content = await readJson(ref, blobs);
    if (!takesFiles || fileRefsIn(content).length === 0) return content;
    throw new FunctionError('permanent', 'file_not_allowed', `JSON in a blob (${ref.blobId}) cannot name files`);
  };
  if (message.blobId !== undefined) return read(blobOf(message));
  const value = message.value ?? null;
  if (isJsonBlob(value)) return read(value);
  const parts: { [step: string]: JsonValue } = {};
  for (const [step, part] of Object.entries(value as { [step: string]: JsonValue }))
    parts[step] = isJsonBlob(part) ? await read(part) : part;
  return parts;
}

function blobOf(message: JobMessage): BlobRef {
  const ref = { ...message.blob, blobId: message.blobId };
  if (isBlobRef(ref)) return ref;
  throw new FunctionError('permanent', 'invalid_message', 'the message does not say what its blob is');
}

const isJson = (ref: BlobRef): boolean => JSON_MEDIA_TYPE.test(ref.mediaType);

function isJsonBlob(value: JsonValue): value is BlobRef {
  return typeof value === 'object' && value !== null && 'blobId' in value && isBlobRef(value) && isJson(value);
}

async function readJson(ref: BlobRef, blobs: JobBlobs): Promise<JsonValue> {
  if (ref.size > MAX_JSON_INPUT_BYTES)
    throw new FunctionError('permanent', 'input_too_large', `JSON of ${ref.size} bytes is more than a function takes`);
  const chunks: Buffer[] = [];
  for await (const chunk of await blobs.open(ref)) chunks.push(chunk as Buffer);
  let value: JsonValue;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8')) as JsonValue;
  } catch (cause) {
    throw new FunctionError('permanent', 'invalid_input', `blob ${ref.blobId} is not JSON`, { cause });
  }
  if (isDeeperThan(value)) throw new FunctionError('permanent', 'invalid_input', 'the JSON is nested too deeply');
  return value;
}
