import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { basename, extname, resolve } from 'node:path';
import { CliError, EXIT } from '../failures.ts';

/** A file that is to be sent, known by its bytes. */
export interface LocalFile {
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly mediaType: string;
  /** Hex. */
  readonly sha256: string;
}

/** Looks a file up and hashes it, so that what arrives can be compared with it. @throws CliError */
export async function readLocalFile(path: string, cwd: string): Promise<LocalFile> {
  const whole = resolve(cwd, path);
  const unreadable = (error: unknown): never => {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CliError(EXIT.usage, `${path} cannot be read: ${code === 'ENOENT' ? 'there is no such file' : message}`);
  };
  const facts = await stat(whole).catch(unreadable);
  if (!facts.isFile()) throw new CliError(EXIT.usage, `${path} is no file.`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(whole), hash).catch(unreadable);
  return {
    path: whole,
    name: basename(whole),
    size: facts.size,
    mediaType: mediaTypeOf(whole),
    sha256: hash.digest('hex'),
  };
}

/** What the end of a file's name says of its content. */
export function mediaTypeOf(path: string): string {
  return MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
}

/** The usual end of a file's name for a media type. */
export function extensionOf(mediaType: string): string {
  const plain = mediaType.split(';')[0]?.trim() ?? '';
  return Object.entries(MEDIA_TYPES).find(([, type]) => type === plain)?.[0] ?? '.bin';
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.avif': 'image/avif',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
  '.yaml': 'application/yaml',
  '.yml': 'application/yaml',
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.xml': 'application/xml',
  '.html': 'text/html',
  '.pdf': 'application/pdf',
  '.zip': 'application/zip',
  '.gz': 'application/gzip',
  '.dcm': 'application/dicom',
  '.mp4': 'video/mp4',
};
