/** Text that may name a file or folder below a root: slashes between plain names, nothing else. */
const UNSAFE_CHARACTERS = /[\\\p{Cc}]/u;

/**
 * The names along a relative path; undefined when the path is absolute, empty, leads upwards, or holds a backslash or
 * control character (which other systems that mount the same share may read as something else).
 */
export function parseRelativePath(path: string): string[] | undefined {
  if (path.length > 1024 || UNSAFE_CHARACTERS.test(path)) return undefined;
  const names = path.split('/');
  const sound = names.every((name) => name !== '' && name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255);
  return sound ? names : undefined;
}
