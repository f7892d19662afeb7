import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { BlobRef } from '@connecta/contracts';
import { FunctionError, type FunctionContext } from '@connecta/worker-kit';
import sharp, { type Sharp } from 'sharp';
import { imageError } from './image-error.ts';
import { formatOf, type ImageFormat } from './image-format.ts';

/** Compressed images up to this size are read into memory, larger ones into a file. */
const IN_MEMORY_BYTES = 8 * 1024 * 1024;

/** An image that was read and looked at, but not decoded yet. */
export interface ImageSource {
  readonly format: ImageFormat;
  /** In pixels, the right way up: EXIF orientation is taken into account. */
  readonly width: number;
  readonly height: number;
  readonly hasAlpha: boolean;
  /** A new pipeline over the image, the right way up. */
  open(): Sharp;
}

export interface OpenImageOptions {
  context: Pick<FunctionContext, 'blobs' | 'signal'>;
  blob: BlobRef;
  /** The most pixels that are decoded. */
  maxPixels: number;
  /** Where large images are kept meanwhile. */
  folder: string;
}

/**
 * Reads an image's bytes, bounded in memory, and checks what it is before anything is decoded.
 *
 * @throws FunctionError invalid_image, image_too_large; whatever reading the blob throws.
 */
export async function openImage({ context, blob, maxPixels, folder }: OpenImageOptions): Promise<ImageSource> {
  if (blob.size === 0) throw new FunctionError('permanent', 'invalid_image', `blob ${blob.blobId} is empty`);
  const bytes = await context.blobs.open(blob);
  let input: Buffer | string;
  if (blob.size <= IN_MEMORY_BYTES) input = await buffer(bytes);
  else {
    input = join(folder, blob.blobId);
    await pipeline(bytes, createWriteStream(input), { signal: context.signal });
  }
  const open = (): Sharp => sharp(input, { limitInputPixels: maxPixels, failOn: 'error', sequentialRead: true });
  const metadata = await open()
    .metadata()
    .catch((error: unknown) => {
      throw imageError(error, blob);
    });
  const { width, height } = metadata.autoOrient;
  if (width * height > maxPixels)
    throw new FunctionError('permanent', 'image_too_large', `${width}x${height} is more than ${maxPixels} pixels`);
  const { hasAlpha } = metadata;
  return { format: formatOf(metadata, blob), width, height, hasAlpha, open: () => open().autoOrient() };
}
