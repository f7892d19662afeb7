export { openBlobs, type BlobsOptions } from './azure/open-blobs.ts';
export { BLOCK_BYTES, MAX_BLOCKS } from './block-pool.ts';
export type {
  AnnouncedBytes,
  BlobPage,
  Blobs,
  ByteRange,
  CommitOptions,
  GetOptions,
  PutOptions,
  StagedBlock,
  StageOptions,
  StoredBytes,
} from './blobs.ts';
export {
  BlobExistsError,
  BlobNotFoundError,
  BlobTooLargeError,
  BytesMismatchError,
  StagedBlocksLostError,
  StorageUnavailableError,
  downloadProblem,
  uploadProblem,
} from './errors.ts';
export { resumeHash, startHash, type RunningHash } from './running-hash.ts';
export { serveBlob, type ServedBlob } from './http/serve-blob.ts';
