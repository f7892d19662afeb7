import {
  INLINE_VALUE_BYTES,
  Problem,
  fileRefsIn,
  isId,
  jsonBytes,
  type BlobId,
  type BlobRef,
  type ClientId,
  type Fault,
  type JsonValue,
} from '@connecta/contracts';
import { blobRefOf, blobRefOfFact, findOwnedBlobs, type Store } from '@connecta/store';
import type { Facts } from './facts.ts';
import type { OrderRequest } from './requests.ts';

/** Of a reference, and of what the gateways answer about a blob: what was answered may be sent back as it is. */
const REF_MEMBERS = new Set([
  ...['blobId', 'mediaType', 'size', 'sha256'],
  ...['fileName', 'client', 'jobId', 'createdBy', 'createdAt', 'expiresAt'],
]);

/** A place in a request that refers to a blob: complete as in a result, or `{"blobId": …}` alone. */
interface Reference {
  path: string;
  blobId: string;
  /** Puts the blob as the database knows it in the place of what was sent. */
  replace: (ref: BlobRef) => void;
}

/** What of a request the order keeps, with the blobs that it refers to. */
export interface OrderValues {
  input: JsonValue;
  params: { [name: string]: JsonValue } | undefined;
  /** What the root steps get as their context. */
  readonly context: BlobRef | undefined;
  references: readonly Reference[];
}

const NO_REFERENCES: readonly Reference[] = [];

/** Reads input and params of a request, and finds every blob reference in them. */
export function readValues(request: OrderRequest): OrderValues {
  const { input = null, params, blobId, contextId } = request;
  if (typeof input !== 'object' && params === undefined && blobId === undefined && contextId === undefined) {
    return { input, params, context: undefined, references: NO_REFERENCES };
  }
  const holder: { [name: string]: JsonValue } = { input: blobId === undefined ? input : { blobId } };
  if (params) holder['params'] = params;
  const references: Reference[] = [];
  findReferences(holder, '', references);
  if (blobId !== undefined && references[0]) references[0].path = '/blobId';
  let context: BlobRef | undefined;
  if (contextId !== undefined) {
    references.push({ path: '/contextId', blobId: contextId, replace: (ref) => (context = ref) });
  }
  return {
    get context() {
      return context;
    },
    get input() {
      return holder['input'] as JsonValue;
    },
    params,
    references,
  };
}

/**
 * Every reference must be a readable blob of the client; each is replaced by what is known of that blob, so that nobody
 * can lie about size or type. True when all is well, undefined when facts are missing.
 */
export function checkReferences(values: OrderValues, clientId: ClientId, facts: Facts): true | Problem | undefined {
  const faults: Fault[] = [];
  let complete = true;
  for (const { path, blobId, replace } of values.references) {
    const blob = isId(blobId) ? facts.blob(blobId) : null;
    if (blob === undefined) complete = false;
    else if (blob === null || blob.ownerClientId !== clientId) {
      faults.push(unknownBlob(path, blobId));
    } else replace(blobRefOfFact(blob));
  }
  if (!complete) return undefined;
  if (faults.length === 0) return true;
  return new Problem('unknown_blob', 'A blob that the order refers to does not exist', { faults: faults.slice(0, 50) });
}

/** Whether an input is too large to travel inline; a problem when it cannot be kept at all. */
export function isTooLarge({ input, params }: OrderValues): boolean | Problem {
  if (params && jsonBytes(params) > INLINE_VALUE_BYTES) {
    return invalidInput('/params', `params may have ${INLINE_VALUE_BYTES} bytes at most`);
  }
  if (typeof input === 'number' || typeof input === 'boolean' || input === null) return false;
  if (typeof input === 'string' && input.length * 6 < INLINE_VALUE_BYTES) return false;
  if (jsonBytes(input) <= INLINE_VALUE_BYTES) return false;
  // The engine takes a file for one that the sender named only where it stands in the order itself.
  if (fileRefsIn(input).length > 0) {
    return invalidInput('/input', `an input that names files may have ${INLINE_VALUE_BYTES} bytes at most`);
  }
  return true;
}

/** Files on legacy shares belong to no client: only some senders may name them, wherever in the values. */
export function checkFile({ input, params }: OrderValues, mayNameFiles: boolean): Problem | null {
  if (mayNameFiles) return null;
  const text = 'files on shares cannot be named here';
  if (fileRefsIn(input).length > 0) return invalidInput('/input', text);
  return params && fileRefsIn(params).length > 0 ? invalidInput('/params', text) : null;
}

/**
 * A value from outside with every blob that it refers to as the database knows it. `path` is where the value stands.
 *
 * @throws Problem unknown_blob
 */
export async function ownValue(
  store: Store,
  { value, clientId, path }: { value: JsonValue; clientId: ClientId; path: string },
): Promise<JsonValue> {
  const holder = { value };
  const references: Reference[] = [];
  findReferences(holder, '', references);
  const ids = references.map(({ blobId }) => blobId).filter((id) => isId(id)) as BlobId[];
  const blobs = await findOwnedBlobs(store, { clientId, ids });
  const faults: Fault[] = [];
  for (const { path: inside, blobId, replace } of references) {
    const blob = blobs.get(blobId as BlobId);
    if (blob) replace(blobRefOf(blob));
    else faults.push(unknownBlob(`${path}${inside.slice('/value'.length)}`, blobId));
  }
  if (faults.length === 0) return holder.value;
  throw new Problem('unknown_blob', 'A blob that it refers to does not exist', { faults: faults.slice(0, 50) });
}

function unknownBlob(path: string, blobId: string): Fault {
  return { path, message: `there is no blob '${blobId}'`, code: 'unknown_blob' };
}

function invalidInput(path: string, message: string): Problem {
  return new Problem('invalid_input', `The order's values are not acceptable: ${message}`, {
    faults: [{ path, message }],
  });
}

function findReferences(value: { [name: string]: JsonValue } | JsonValue[], path: string, found: Reference[]): void {
  const set = value as { [name: string]: JsonValue };
  for (const name in set) {
    const inner = set[name];
    if (typeof inner !== 'object' || inner === null) continue;
    const innerPath = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    const blobId = referredBlob(inner);
    if (blobId === null) {
      findReferences(inner, innerPath, found);
      continue;
    }
    found.push({
      path: innerPath,
      blobId,
      replace: (ref) => {
        set[name] = ref;
      },
    });
  }
}

/** The id in an object that is a reference or means to be one; null for any other value. */
function referredBlob(value: { [name: string]: JsonValue } | JsonValue[]): string | null {
  if (Array.isArray(value) || typeof value['blobId'] !== 'string') return null;
  for (const name in value) if (!REF_MEMBERS.has(name)) return null;
  return value['blobId'];
}
