export { announcedBytes, bodyOf, dropBody } from './blobs/body-of.ts';
export { fileNameFrom, mediaTypeFrom } from './blobs/names.ts';
export {
  receiveBlob,
  receiveBlobOnce,
  refuseTooLarge,
  storeBytes,
  type BlobIntake,
  type IncomingBlob,
} from './blobs/receive-blob.ts';
export { storeValue } from './blobs/store-value.ts';
