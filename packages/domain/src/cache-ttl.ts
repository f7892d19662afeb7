import type { TaskStep } from './plan.ts';

/**
 * How old a result may be that a step takes from the result cache; 0: none may. The order's word covers the steps whose
 * function is cacheable, and 0 of it keeps all of them from the cache.
 */
export function cacheTtlOf(
  ofOrder: number | null,
  { cache, cacheable }: Pick<TaskStep, 'cache' | 'cacheable'>,
): number {
  if (ofOrder === 0) return 0;
  return cache?.ttlMs ?? (cacheable === true ? (ofOrder ?? 0) : 0);
}
