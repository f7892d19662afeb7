import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { FunctionError } from '@connecta/worker-kit';
import sharp, { type Metadata, type OutputInfo, type Sharp } from 'sharp';
import { untilAborted } from './until-aborted.ts';
import { LevelPixels } from './level-pixels.ts';

/** Formats that hold pixels. Others that libvips may read (SVG, PDF) are programs or load other files. */
const FORMATS: ReadonlySet<string> = new Set(['jpeg', 'png', 'webp', 'tiff', 'gif', 'heif']);

/** Bytes before the pixels in a file of libvips' own format. */
const VIPS_HEADER_BYTES = 64;

/**
 * Decodes an image once, upright and in sRGB, into plain pixels in `folder`.
 *
 * @throws FunctionError permanent: `unsupported_image`, `image_too_large`, `image_unreadable`.
 */
export async function decodeImage(options: {
  source: string;
  folder: string;
  maxPixels: number;
  signal: AbortSignal;
}): Promise<LevelPixels> {
  const { source, folder, maxPixels, signal } = options;
  const orientation = await checkImage(source, maxPixels);
  const flat = join(folder, 'image.v');
  // `limitInputPixels` guards again: a file may hold more than its header said.
  const decode = sharp(source, { limitInputPixels: maxPixels, sequentialRead: true, failOn: 'error' });
  let written = await untilAborted(toPixels(decode, flat), signal);
  let path = flat;
  if (orientation > 1) {
    // Turned in a second pass: while decoding, libvips would have to hold the whole image in memory to turn it.
    path = join(folder, 'upright.v');
    const turn = sharp(flat, { limitInputPixels: false, sequentialRead: false }).autoOrient();
    written = await untilAborted(toPixels(turn, path), signal);
    await unlink(flat);
  }
  return LevelPixels.open(path, { start: VIPS_HEADER_BYTES, size: written, channels: written.channels });
}

async function checkImage(source: string, maxPixels: number): Promise<number> {
  let metadata: Metadata;
  try {
    metadata = await sharp(source, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new FunctionError('permanent', 'unsupported_image', 'The input is not an image that can be read', { cause });
  }
  const { format, width, height, orientation } = metadata;
  if (!FORMATS.has(format)) {
    throw new FunctionError('permanent', 'unsupported_image', `Images of the format ${format} are not taken`);
  }
  if (width * height > maxPixels) {
    const text = `The image has ${width} × ${height} pixels; at most ${maxPixels} are taken`;
    throw new FunctionError('permanent', 'image_too_large', text);
  }
  return orientation ?? 1;
}

async function toPixels(image: Sharp, path: string): Promise<OutputInfo> {
  try {
    return await image.toFile(path);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/No space left|unable to (?:write|open)|write error/i.test(message)) throw cause;
    throw new FunctionError('permanent', 'image_unreadable', `The image cannot be decoded: ${message}`, { cause });
  }
}
