import type { Order } from './gateway.ts';

/** An order's way as lines for a person: each step with what went in and what came out. */
export function traceOf(order: Order): string {
  const lines = Object.entries(order.jobs).map(([step, job]) => {
    const outcome = job.error ? `${job.error.code}: ${job.error.message}` : short(job.result);
    return `    ${step.padEnd(14)} ${job.uses.padEnd(24)} ${job.state.padEnd(10)} ${short(job.input)} → ${outcome}`;
  });
  return [`  order ${order.id}  ${order.state}`, ...lines, `    result ${short(order.result)}`].join('\n');
}

/** A value in one short line; a blob by the head of its id and its size. */
function short(value: unknown): string {
  const line = plain(value);
  return line.length > 110 ? `${line.slice(0, 109)}…` : line;
}

function plain(value: unknown): string {
  if (value === undefined) return '–';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(plain).join(', ')}]`;
  if ('blobId' in value) {
    const { blobId, mediaType = 'bytes', size = '?' } = value as { blobId: string; mediaType?: string; size?: number };
    return `blob …${blobId.slice(-6)} (${mediaType}, ${size} bytes)`;
  }
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${plain(field)}`);
  return `{${fields.join(', ')}}`;
}
