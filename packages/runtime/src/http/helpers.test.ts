import { describe, expect, test } from '@jest/globals';
import type { Request } from 'express';
import { z } from 'zod';
import { decodeCursor, encodeCursor, toPage } from './cursors.ts';
import { idempotencyOf } from './idempotency.ts';
import { assertRevision, etagOf, requireIfMatch } from './preconditions.ts';

const withHeaders = (headers: Record<string, string>): Request =>
  ({ headers, context: { rawBody: Buffer.from('{}') } }) as unknown as Request;
const code = (act: () => unknown): unknown => {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code: unknown }).code;
  }
};

describe('preconditions', () => {
  test('an ETag comes back as its revision', () => {
    expect(requireIfMatch(withHeaders({ 'if-match': etagOf(7) }))).toBe(7);
    expect(requireIfMatch(withHeaders({ 'if-match': '*' }))).toBe('*');
  });

  test('a missing one is a 428, a foreign one a 400, an old one a 412', () => {
    expect(code(() => requireIfMatch(withHeaders({})))).toBe('precondition_required');
    expect(code(() => requireIfMatch(withHeaders({ 'if-match': '"abc"' })))).toBe('bad_request');
    expect(code(() => assertRevision(6, 7))).toBe('precondition_failed');
    expect(code(() => assertRevision(7, 7))).toBeUndefined();
    expect(code(() => assertRevision('*', 7))).toBeUndefined();
  });
});

describe('cursors', () => {
  const place = z.strictObject({ id: z.string() });

  test('lead through a list, page by page', () => {
    const rows = ['a', 'b', 'c', 'd', 'e'];
    const read = (after: string | undefined) =>
      toPage(rows.filter((row) => after === undefined || row > after).slice(0, 3), 2, {
        item: (row) => row,
        place: (row) => ({ id: row }),
      });
    const first = read(undefined);
    expect(first.items).toEqual(['a', 'b']);
    const second = read(decodeCursor(first.nextCursor ?? '', place).id);
    expect(second.items).toEqual(['c', 'd']);
    expect(read(decodeCursor(second.nextCursor ?? '', place).id)).toEqual({ items: ['e'], nextCursor: null });
  });

  test.each(['', 'junk', encodeCursor({ id: 7 })])('a cursor that is not ours (%s) is a 400', (cursor) => {
    expect(code(() => decodeCursor(cursor, place))).toBe('bad_request');
  });
});

describe('Idempotency-Key', () => {
  test('comes with the hash of the body', () => {
    const read = idempotencyOf(withHeaders({ 'idempotency-key': 'abc' }));
    expect(read).toEqual({ key: 'abc', bodyHash: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' });
    expect(idempotencyOf(withHeaders({}))).toBeUndefined();
    expect(code(() => idempotencyOf(withHeaders({ 'idempotency-key': 'a b' })))).toBe('bad_request');
  });
});
