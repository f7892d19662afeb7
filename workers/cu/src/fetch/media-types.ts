import { extname } from 'node:path';

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.dcm': 'application/dicom',
  '.gif': 'image/gif',
  '.gz': 'application/gzip',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.tif': 'image/tiff',
  '.tiff': 'image/tiff',
  '.txt': 'text/plain',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
  '.zip': 'application/zip',
};

/** The media type that a file's name suggests; `application/octet-stream` when none. */
export function mediaTypeOf(fileName: string): string {
  return MEDIA_TYPES[extname(fileName).toLowerCase()] ?? 'application/octet-stream';
}

/** The usual ending for a media type, with its dot; `.bin` when none. */
export function endingOf(mediaType: string): string {
  const essence = mediaType.split(';', 1)[0]?.trim() ?? '';
  if (essence === 'image/jpeg') return '.jpg';
  return Object.entries(MEDIA_TYPES).find(([, type]) => type === essence)?.[0] ?? '.bin';
}
