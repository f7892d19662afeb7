/** Seeds of graphs that once came to something else than the model says: they run always, before all others. */
export const FAILED_SEEDS: readonly number[] = [];
