import { INLINE_VALUE_BYTES, type BlobRef, type ClientId, type JobId, type JsonValue } from '@connecta/contracts';
import { blobRefOf } from '@connecta/store';
import { receiveBlob, type BlobIntake } from './receive-blob.ts';

/** The value itself when it may travel inline, else the reference to a JSON blob of the client that holds it. */
export async function storeValue(
  intake: BlobIntake,
  from: { value: JsonValue; clientId: ClientId; jobId?: JobId | undefined; createdBy: string },
): Promise<JsonValue | BlobRef> {
  const { value, ...owner } = from;
  const json = Buffer.from(JSON.stringify(value));
  if (json.length <= INLINE_VALUE_BYTES) return value;
  return blobRefOf(await receiveBlob(intake, once(json), { ...owner, mediaType: 'application/json' }));
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
