import { describe, expect, test } from '@jest/globals';
import { newId, type BlobId, type BlobRef, type JsonValue, type ProfileId } from '@connecta/contracts';
import { differencesOf, fingerprintOf, fingerprintParts, type FingerprintSubject } from './fingerprint.ts';

const blob = (content: string, mediaType = 'image/png'): BlobRef => ({
  ...{ blobId: newId<BlobId>(), mediaType, size: 3 },
  sha256: content.repeat(64),
});
const subject: FingerprintSubject = {
  ...{
    workerType: 'g',
    function: 'math.add',
    profileId: 'p' as ProfileId,
    profileRevision: 3,
    functionVersion: '1.0.0',
  },
  ...{ params: { a: 1, b: [true, null] }, input: { x: 'text', y: [1, 2] }, given: null },
};
const of = (change: Partial<FingerprintSubject>): string | null => fingerprintOf({ ...subject, ...change });

describe('a fingerprint', () => {
  test('is equal for equal values, in whatever order their members stand', () => {
    expect(of({})).toMatch(/^[0-9a-f]{64}$/);
    expect(of({ params: { b: [true, null], a: 1 }, input: { y: [1, 2], x: 'text' } })).toBe(of({}));
  });

  test.each<[string, Partial<FingerprintSubject>]>([
    ['the worker type', { workerType: 'h' }],
    ['the function', { function: 'math.times' }],
    ['the profile', { profileId: 'q' as ProfileId }],
    ['its revision', { profileRevision: 4 }],
    ["the function's version", { functionVersion: '1.0.1' }],
    ['a param', { params: { a: 2, b: [true, null] } }],
    ['a param more', { params: { a: 1, b: [true, null], strategy: 'draft' } }],
    ['the input', { input: { x: 'text', y: [2, 1] } }],
    ["the input's type", { input: '{"x":"text","y":[1,2]}' }],
    ['a context', { given: { context: blob('a') } }],
    ['contexts by need', { given: { contexts: { n: blob('a') } } }],
  ])('differs with %s', (_what, change) => expect(of(change)).not.toBe(of({})));

  test('is the same whether the default strategy is said or not', () => {
    expect(of({ params: { a: 1, b: [true, null], strategy: 'final' } })).toBe(of({}));
  });

  test('counts blobs by their bytes, not by their ids, and never takes text for a blob', () => {
    const given = (input: JsonValue) => of({ input });
    expect(given(blob('a'))).toBe(given(blob('a')));
    expect(given([blob('a')])).not.toBe(given([blob('b')]));
    expect(given(blob('a'))).not.toBe(given(blob('a', 'image/jpeg')));
    expect(given(blob('a'))).not.toBe(given(`#${'a'.repeat(64)}:3:"image/png"`));
    expect(of({ given: { context: blob('a') } })).toBe(of({ given: { context: blob('a') } }));
  });

  test('does not exist where something cannot be told: a file on a share, a function without a version', () => {
    expect(of({ input: { list: [{ file: { share: 's', path: 'p' } }] } })).toBeNull();
    expect(of({ functionVersion: undefined })).toBeNull();
  });
});

describe('differences', () => {
  const between = (change: Partial<FingerprintSubject>) =>
    differencesOf(fingerprintParts(subject), fingerprintParts({ ...subject, ...change }));

  test('are none between equal jobs', () => expect(between({})).toEqual([]));

  test('are told part by part, readable where they can be', () => {
    const more = { profileRevision: 4, functionVersion: '2.0.0', function: 'math.sub', input: 6 };
    expect(between(more)).toEqual([
      { what: 'task', from: 'g/math.add', to: 'g/math.sub' },
      { what: 'profile', from: 'p@3', to: 'p@4' },
      { what: 'version', from: '1.0.0', to: '2.0.0' },
      { what: 'input', from: expect.stringMatching(/^sha256:.{12}$/), to: expect.stringMatching(/^sha256:.{12}$/) },
    ]);
  });

  test('a part that cannot be told differs from itself', () => {
    const parts = fingerprintParts({ ...subject, functionVersion: undefined });
    expect(differencesOf(parts, parts)).toEqual([{ what: 'version', from: null, to: null }]);
  });
});
