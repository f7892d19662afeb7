import { Problem } from '@connecta/contracts';
import type { ProfileService, ProfileWrite } from './profile-service.ts';
import type { ProfileStore } from './profile-store.ts';
import { nameWasUsed } from './write-profiles.ts';

/** A profile that exists from the first start on. */
export type SampleProfile = ProfileWrite;

/**
 * Creates the samples whose names were never used in this database: a sample that people changed or deleted stays
 * changed or deleted. Several processes may do this at once. Returns the names of those created.
 */
export async function createSamples(
  store: ProfileStore,
  service: ProfileService,
  samples: readonly SampleProfile[],
): Promise<string[]> {
  const created: string[] = [];
  for (const sample of samples) {
    if (await nameWasUsed(store, sample.name)) continue;
    try {
      await service.create(sample);
      created.push(sample.name);
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'name_taken')) throw error;
    }
  }
  return created;
}
