import { describe, expect, test } from '@jest/globals';
import { KeyCache } from './key-cache.ts';
import { hashKey, keyMatches, newKey } from './keys.ts';

describe('KeyCache', () => {
  test('looks a key up once within its time, and again after it', async () => {
    let now = 0;
    let asked = 0;
    let owner: string | null = 'a';
    const cache = new KeyCache({ lookUp: () => Promise.resolve((asked++, owner)), ttlMs: 5_000, now: () => now });
    await Promise.all([cache.find('h'), cache.find('h')]);
    now = 4_999;
    owner = null;
    expect(await cache.find('h')).toBe('a');
    expect(asked).toBe(1);
    now = 5_000;
    expect(await cache.find('h')).toBeNull();
    expect(asked).toBe(2);
  });

  test('an unknown key is asked for each time, so a new one works at once', async () => {
    let owner: string | null = null;
    const cache = new KeyCache({ lookUp: () => Promise.resolve(owner) });
    expect(await cache.find('h')).toBeNull();
    owner = 'b';
    expect(await cache.find('h')).toBe('b');
  });

  test('a look-up that fails is not kept', async () => {
    let fail = true;
    const cache = new KeyCache({ lookUp: () => (fail ? Promise.reject(new Error('down')) : Promise.resolve('c')) });
    await expect(cache.find('h')).rejects.toThrow('down');
    fail = false;
    expect(await cache.find('h')).toBe('c');
  });
});

describe('keys', () => {
  test('are random, prefixed, and known by their hash alone', () => {
    const key = newKey('sk');
    expect(key).toMatch(/^sk_[\w-]{43}$/);
    expect(keyMatches(key, hashKey(key))).toBe(true);
    expect(keyMatches(newKey('sk'), hashKey(key))).toBe(false);
    expect(keyMatches(key, 'short')).toBe(false);
  });
});
