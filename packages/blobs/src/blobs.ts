import type { Readable } from 'node:stream';

/** What is known of stored bytes: size in bytes, lower-case hex SHA-256. */
export interface StoredBytes {
  size: number;
  sha256: string;
}

/** What somebody said about bytes before they were read. */
export interface AnnouncedBytes {
  size?: number | undefined;
  sha256?: string | undefined;
}

/** A part of a blob: the first byte and the number of bytes. */
export interface ByteRange {
  start: number;
  length: number;
}

export interface PutOptions {
  id: string;
  mediaType: string;
  /** The most bytes that are taken. */
  maxBytes?: number | undefined;
  /** What the sender said about the bytes: others are refused and nothing is kept. */
  expect?: AnnouncedBytes | undefined;
  /** See {@link StageOptions.ownsChunks}. */
  ownsChunks?: boolean | undefined;
}

export interface StagedBlock {
  blockId: string;
  /** Only valid until the call that was given them has settled. */
  bytes: Buffer;
}

export interface StageOptions {
  id: string;
  maxBytes: number;
  /** True when nobody else reads the source's chunks: the memory of each is then freed as soon as it was read. */
  ownsChunks?: boolean | undefined;
  onStaged(block: StagedBlock): Promise<void>;
}

export interface CommitOptions extends StoredBytes {
  id: string;
  mediaType: string;
  blockIds: readonly string[];
}

export interface GetOptions {
  range?: ByteRange | undefined;
  /** What the bytes must be; the whole of them is checked while it is read, of a range only the length. */
  expect: AnnouncedBytes;
}

/** One page of the names that storage holds. */
export interface BlobPage {
  items: { id: string; modifiedAt: Date }[];
  /** Where the next page begins; absent after the last one. */
  next?: string | undefined;
}

/**
 * Bytes with an id. A blob is written once, whole or not at all, and never changes.
 * Every method may throw {@link StorageUnavailableError}; what each throws besides stands at the method.
 */
export interface Blobs {
  /**
   * Stores a stream in bounded memory (12 MiB) and tells its size and hash. Bytes that are there already under the id
   * are left alone: the same ones count as stored (a repeat), others are refused.
   *
   * @throws BlobTooLargeError, BytesMismatchError, BlobExistsError, and whatever the source throws. Nothing is kept then.
   */
  put(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<StoredBytes>;
  /**
   * Stages what a stream brings as blocks of a resumable upload, in bounded memory. `onStaged` is called block by block,
   * in order, each awaited before the next; when the source breaks, what came until then is staged and told too.
   *
   * @throws BlobTooLargeError, and whatever the source or `onStaged` throws, after everything before it was told.
   */
  stage(source: AsyncIterable<Uint8Array>, options: StageOptions): Promise<void>;
  /**
   * Makes a blob of staged blocks, in this order. A repeat is no error.
   *
   * @throws StagedBlocksLostError, BlobExistsError
   */
  commitBlocks(options: CommitOptions): Promise<void>;
  /** Forgets blocks that were staged for an id and never committed. */
  discardBlocks(id: string): Promise<void>;
  /**
   * Reads a blob, or a part of it. The last bytes are held back until size and hash are known to be right, so that a
   * reader who got everything got the right thing; a cut connection is resumed where it broke.
   *
   * @throws BlobNotFoundError; the stream fails with BytesMismatchError.
   */
  get(id: string, options: GetOptions): Promise<Readable>;
  /** False when there was none. */
  delete(id: string): Promise<boolean>;
  exists(id: string): Promise<boolean>;
  /** The names in storage, in order, from a place that an earlier page told. */
  list(options: { from?: string | undefined; limit: number }): Promise<BlobPage>;
  /** Makes sure that the container is there. */
  check(): Promise<void>;
}
