import { describe, expect, test } from '@jest/globals';
import { newId, type ProfileId } from '@connecta/contracts';
import { newerProfiles } from './newer-profiles.ts';
import type { ToldProfile } from './registration.ts';

const id = newId<ProfileId>();
const told = (revision: number, deleted = false): ToldProfile => ({ id, name: 'a', function: 'f', revision, deleted });

describe('newerProfiles', () => {
  test('an unknown profile and a higher revision are news', () => {
    expect(newerProfiles([told(1)], [])).toEqual([told(1)]);
    expect(newerProfiles([told(3)], [{ id, revision: 2, deleted: false }])).toEqual([told(3)]);
    expect(newerProfiles([told(3)], [{ id, revision: 2, deleted: true }])).toEqual([told(3)]);
  });

  test('the same and an older revision are not', () => {
    expect(newerProfiles([told(2), told(1)], [{ id, revision: 2, deleted: false }])).toEqual([]);
  });

  test('a deletion at the known revision is, once, and nothing undoes it', () => {
    expect(newerProfiles([told(2, true)], [{ id, revision: 2, deleted: false }])).toEqual([told(2, true)]);
    expect(newerProfiles([told(2, true)], [{ id, revision: 2, deleted: true }])).toEqual([]);
    expect(newerProfiles([told(2)], [{ id, revision: 2, deleted: true }])).toEqual([]);
    expect(newerProfiles([told(1, true)], [{ id, revision: 2, deleted: false }])).toEqual([]);
  });

  test('told twice at once, the newer one counts', () => {
    expect(newerProfiles([told(2), told(1)], [])).toEqual([told(2)]);
    expect(newerProfiles([told(1), told(2)], [])).toEqual([told(2)]);
  });
});
