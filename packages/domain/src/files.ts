import { fileRefsIn, type FileRef, type JsonValue } from '@connecta/contracts';

/** The files of legacy shares that values name and that stand nowhere in what was given, each once. */
export function filesBeyond(values: readonly JsonValue[], given: readonly JsonValue[]): FileRef[] {
  const files = values.flatMap((value) => fileRefsIn(value));
  if (files.length === 0) return files;
  const beyond = new Map(files.map((file) => [nameOf(file), file]));
  for (const value of given) for (const file of fileRefsIn(value)) beyond.delete(nameOf(file));
  return [...beyond.values()];
}

function nameOf({ share, path }: FileRef): string {
  return JSON.stringify([share, path]);
}
