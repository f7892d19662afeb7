import { basename, extname } from 'node:path';
import { isBlobRef, isFileValue, type BlobRef, type FileRef, type JsonValue } from '@connecta/contracts';
import { endingOf, mediaTypeOf } from '../fetch/media-types.ts';

/** One file that a result becomes in the outbox. */
export interface ResultFile {
  readonly name: string;
  readonly content: { readonly blob: BlobRef } | { readonly file: FileRef } | { readonly json: JsonValue };
}

/**
 * The files that a result becomes, named after the input: a blob or a legacy file is one file, a list or an object of
 * nothing but those is one each (`photo-1.jpg`, `photo-mark.jpg`), everything else is JSON.
 */
export function resultFiles(result: JsonValue, inputName: string): ResultFile[] {
  const stem = inputName.slice(0, inputName.length - extname(inputName).length);
  const named = (value: JsonValue, label: string): ResultFile | undefined => {
    if (isBlobRef(value)) return { name: `${stem}${label}${blobEnding(value, inputName)}`, content: { blob: value } };
    if (!isFileValue(value)) return undefined;
    return { name: `${stem}${label}${extname(basename(value.file.path))}`, content: { file: value.file } };
  };
  const single = named(result, '');
  if (single) return [single];
  const parts: [string, JsonValue][] = Array.isArray(result)
    ? result.map((value, index) => [`-${index + 1}`, value])
    : Object.entries(typeof result === 'object' && result !== null ? result : {}).map(([key, value]) => [
        `-${key.replace(/[^A-Za-z0-9_-]/g, '_')}`,
        value,
      ]);
  const files = parts.map(([label, value]) => named(value, label));
  if (files.length > 0 && files.every((file) => file !== undefined)) return files;
  return [{ name: `${stem}.json`, content: { json: result } }];
}

/** The input's own ending where the result is of the same type: `scan.JPEG` stays `.JPEG`. */
function blobEnding({ mediaType }: BlobRef, inputName: string): string {
  const essence = mediaType.split(';', 1)[0]?.trim();
  return mediaTypeOf(inputName) === essence && extname(inputName) !== '' ? extname(inputName) : endingOf(mediaType);
}
