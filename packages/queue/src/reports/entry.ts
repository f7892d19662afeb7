/** A worker's entry is an array of reports; anything else is handed on as one, for the reader to judge. */
export function reportsIn(text: string | undefined): unknown[] {
  try {
    const body: unknown = JSON.parse(text ?? 'null');
    return Array.isArray(body) ? body : [body];
  } catch {
    return [text ?? null];
  }
}
