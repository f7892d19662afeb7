import { harmless } from './style.ts';

/** A value in one line as people read it: blobs by the end of their id, text and fields without needless quotes. */
export function shortValue(value: unknown): string {
  if (value === undefined) return '–';
  if (typeof value === 'string') return harmless(JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(shortValue).join(', ')}]`;
  if ('blobId' in value) {
    const { blobId, mediaType, size } = value as { blobId: unknown; mediaType?: unknown; size?: unknown };
    const kind = typeof mediaType === 'string' ? mediaType : 'bytes';
    return `blob …${String(blobId).slice(-6)} (${kind}${typeof size === 'number' ? `, ${bytesText(size)}` : ''})`;
  }
  return `{${Object.entries(value)
    .map(([name, field]) => `${name}: ${shortValue(field)}`)
    .join(', ')}}`;
}

/** A number of bytes with a fitting unit. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let amount = bytes;
  let unit = 0;
  while (amount >= 1000 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${units[unit] ?? ''}`;
}

/** A time span with the two units that matter. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago an ISO time is. */
export function agoText(time: string, now: number): string {
  const ms = now - Date.parse(time);
  return ms < 0 ? `in ${spanText(-ms)}` : ms < 1000 ? 'just now' : `${spanText(ms)} ago`;
}
