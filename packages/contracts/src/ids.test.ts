import { describe, expect, test } from '@jest/globals';
import { isId, longId, newId, shortId, type OrderId } from './ids.ts';

describe('ids', () => {
  test('are lower-case UUIDs of version 7 that sort by the time they were made', () => {
    const ids = Array.from({ length: 2000 }, () => newId<OrderId>());
    expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(
      true,
    );
    expect(ids.every(isId)).toBe(true);
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([undefined, null, 7, '', 'x', newId().toUpperCase(), `${newId()} `, `${newId()}\n`, newId().slice(1)])(
    '%j is none',
    (text) => expect(isId(text)).toBe(false),
  );

  test('have a short form of 22 characters and come back from it', () => {
    for (const id of [newId<OrderId>(), 'ffffffff-ffff-4fff-bfff-ffffffffffff' as OrderId]) {
      expect(shortId(id)).toMatch(/^[\w-]{22}$/);
      expect(longId(shortId(id))).toBe(id);
    }
  });

  test.each(['', '*', 'short', 'a'.repeat(23)])('%j is no short form', (text) => {
    expect(() => longId(text)).toThrow(TypeError);
  });
});
