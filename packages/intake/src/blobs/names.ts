import { Problem } from '@connecta/contracts';

const MEDIA_TYPE =
  /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+*-]{1,127}(?:\s*;\s*[\w!#$&^.+-]+=(?:[\w!#$&^.+-]+|"[\x20-\x21\x23-\x5b\x5d-\x7e]*"))*$/;
const MAX_MEDIA_TYPE = 255;
const MAX_FILE_NAME = 255;

/** A blob's media type as its sender says; bytes of which nothing is said are `application/octet-stream`. @throws Problem bad_request */
export function mediaTypeFrom(given: string | undefined): string {
  const text = given?.trim() ?? '';
  if (text === '') return 'application/octet-stream';
  if (text.length <= MAX_MEDIA_TYPE && MEDIA_TYPE.test(text)) return text;
  throw new Problem('bad_request', 'The media type is not one.', {
    faults: [{ path: 'header:content-type', message: 'must be a media type such as image/png' }],
  });
}

/**
 * The name part of whatever a sender calls a file: no folders, no control characters, at most 255 characters. Undefined
 * when nothing of a name is left.
 */
export function fileNameFrom(given: string | null | undefined): string | undefined {
  const last = (given ?? '').toWellFormed().split(/[/\\]/).at(-1) ?? '';
  // eslint-disable-next-line no-control-regex -- these are what must go
  const name = last.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '').trim();
  return name === '' || name === '.' || name === '..' ? undefined : name.slice(0, MAX_FILE_NAME).toWellFormed();
}
