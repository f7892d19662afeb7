export { announcedBytes, bodyOf, dropBody } from './blobs/body-of.ts';
export { receiveBlob, refuseTooLarge, storeBytes, type BlobIntake, type IncomingBlob } from './blobs/receive-blob.ts';
export { storeValue } from './blobs/store-value.ts';
