import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { resumeHash, startHash } from './running-hash.ts';

describe('a running hash', () => {
  test('goes on in another process and ends as SHA-256', async () => {
    const bytes = randomBytes(100_001);
    const first = await startHash();
    first.update(bytes.subarray(0, 70_003));
    const second = await resumeHash(first.state());
    second?.update(bytes.subarray(70_003));
    expect(second?.digest()).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  test('a state that another version wrote is not taken up', async () => {
    expect(await resumeHash(randomBytes(116))).toBeNull();
  });
});
