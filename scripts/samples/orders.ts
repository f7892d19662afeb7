import { gunzipSync } from 'node:zlib';
import type { Gateway, Order } from './gateway.ts';
import { drawPhoto } from './photo.ts';

/** One order to send, and what must come of it; the check returns a fault or nothing. */
export interface Sample {
  readonly title: string;
  readonly body: () => unknown;
  readonly check: (order: Order, gateway: Gateway) => Promise<string | undefined>;
}

const client = 'client-x';
const text = 'Connecta runs files and values through workers that other teams own.\n'.repeat(50);

/** The samples, in the order they are sent. */
export const samples: readonly Sample[] = [
  {
    title: 'the number 5, plus 2, times 2',
    body: () => ({ client, tasks: ['generic/add-2', 'generic/times-2'], input: 5 }),
    check: async ({ result }) => expectNumber(result, 14),
  },
  {
    title: 'the number 5, times 2, plus 2',
    body: () => ({ client, tasks: ['generic/times-2', 'generic/add-2'], input: 5 }),
    check: async ({ result }) => expectNumber(result, 12),
  },
  {
    title: 'a photo from client-x, whose contract says what happens to it',
    body: () => form(drawPhoto(960, 640), { type: 'image/png', name: 'photo.png' }, { client }),
    check: (order, gateway) => expectImages(order, gateway),
  },
  {
    title: 'a text file through a legacy program: cu/gzip',
    body: () => form(Buffer.from(text), { type: 'text/plain', name: 'note.txt' }, { client, tasks: '["cu/gzip"]' }),
    check: async ({ result }, gateway) => {
      const [blobId] = blobIdsIn(result);
      if (!blobId) return 'there is no blob in the result';
      return gunzipSync(await gateway.bytes(blobId)).toString() === text ? undefined : 'the bytes came back changed';
    },
  },
  {
    title: 'a large picture cut into tiles, with progress: big-function/tiles',
    body: () =>
      form(
        drawPhoto(1600, 1200),
        { type: 'image/png', name: 'large.png' },
        { client, tasks: '["big-function/tiles"]' },
      ),
    check: async ({ result }) => (blobIdsIn(result).length > 0 ? undefined : 'there is no blob in the result'),
  },
];

function form(bytes: Buffer, file: { type: string; name: string }, fields: Readonly<Record<string, string>>): FormData {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.set(name, value);
  data.set('file', new Blob([new Uint8Array(bytes)], { type: file.type }), file.name);
  return data;
}

function expectNumber(result: unknown, expected: number): string | undefined {
  return result === expected ? undefined : `expected ${expected}, got ${JSON.stringify(result)}`;
}

async function expectImages({ result }: Order, gateway: Gateway): Promise<string | undefined> {
  const blobIds = blobIdsIn(result);
  if (blobIds.length === 0) return 'there is no image in the result';
  for (const blobId of blobIds) if ((await gateway.bytes(blobId)).length === 0) return `image ${blobId} is empty`;
  return undefined;
}

/** The ids of all blobs that a value refers to, at whatever depth. */
function blobIdsIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('blobId' in value && typeof value.blobId === 'string') return [value.blobId];
  return Object.values(value).flatMap(blobIdsIn);
}
