/** A Content-Type without its parameters, lower case. */
export function mediaTypeOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** The declared media type that covers this one: itself, its range (`image/*`), or everything. */
export function pickMediaType(declared: readonly string[], mediaType: string): string | undefined {
  const range = `${mediaType.split('/', 1)[0]}/*`;
  return [mediaType, range, '*/*'].find((candidate) => declared.includes(candidate));
}
