import {
  isBlobRef,
  isFileValue,
  type BlobRef,
  type FileRef,
  type JobMessage,
  type JsonValue,
} from '@connecta/contracts';
import { FunctionError } from '../function/function-error.ts';
import type { FunctionContext } from '../function/function.ts';

/**
 * The task that turns a file of a legacy share into a blob. It runs where the shares are mounted; when it moves to
 * another worker type, that type takes over this name by an alias.
 */
export const FILE_FETCH_TASK = 'cu/fetch';

/** True when the input is a legacy file, or a list or an object (one part per step) with one directly in it. */
export function holdsFiles(message: JobMessage): boolean {
  if (message.file !== undefined) return true;
  const { value } = message;
  return typeof value === 'object' && value !== null && Object.values(value).some(isFileValue);
}

/**
 * The message with blobs in place of legacy files, each fetched by a child order of the job: only workers with the
 * share can read it, and no worker calls another.
 *
 * @throws FunctionError `file_unavailable` when a file cannot be fetched.
 */
export async function fetchFiles(message: JobMessage, placeOrder: FunctionContext['placeOrder']): Promise<JobMessage> {
  if (message.file !== undefined) {
    const { file, ...rest } = message;
    const { blobId, ...blob } = await fetchFile(file, placeOrder);
    return { ...rest, blobId, blob };
  }
  const part = async (value: JsonValue): Promise<JsonValue> =>
    isFileValue(value) ? fetchFile(value.file, placeOrder) : value;
  const { value = null } = message;
  if (Array.isArray(value)) return { ...message, value: await Promise.all(value.map(part)) };
  const parts = Object.entries(value as { [name: string]: JsonValue }).map(
    async ([name, each]) => [name, await part(each)] as const,
  );
  return { ...message, value: Object.fromEntries(await Promise.all(parts)) };
}

async function fetchFile(file: FileRef, placeOrder: FunctionContext['placeOrder']): Promise<BlobRef> {
  const order = await placeOrder({ tasks: [FILE_FETCH_TASK], input: { file } });
  if (order.state === 'completed' && isBlobRef(order.result)) return order.result;
  const why = order.error ? `${order.error.code} ${order.error.message}` : `the order ended ${order.state}`;
  const text = `file "${file.path}" of share "${file.share}" could not be fetched: ${why}`;
  throw new FunctionError('permanent', 'file_unavailable', text);
}
