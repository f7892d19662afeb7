import { createSHA256, type IHasher } from 'hash-wasm';

/** A SHA-256 whose state can be put aside and taken up by another process, which `node:crypto` cannot do. */
export interface RunningHash {
  update(bytes: Uint8Array): void;
  /** About 120 bytes; only the same version of the hash library reads them. */
  state(): Uint8Array<ArrayBuffer>;
  /** Lower-case hex; the last call on this object. */
  digest(): string;
}

/** A hash of nothing yet. */
export async function startHash(): Promise<RunningHash> {
  const hasher = await createSHA256();
  return runningHash(hasher.init());
}

/** A hash at the state that an earlier one told; null when another version of the library wrote it. */
export async function resumeHash(state: Uint8Array): Promise<RunningHash | null> {
  const hasher = await createSHA256();
  try {
    return runningHash(hasher.load(new Uint8Array(state)));
  } catch {
    return null;
  }
}

function runningHash(hasher: IHasher): RunningHash {
  return {
    update: (bytes) => void hasher.update(bytes),
    state: () => new Uint8Array(hasher.save()),
    digest: () => hasher.digest('hex'),
  };
}
