import type { JsonValue } from '@connecta/contracts';
import type { PlannedForEach, PlannedStep } from '@connecta/domain';
import { reportOf, type JobName } from './direct.ts';
import { scriptedStep } from './harness.ts';

export const each = (more: Partial<PlannedForEach> = {}): { forEach: PlannedForEach } => ({
  forEach: { items: 'input', max: 100, onItemError: 'fail', ...more },
});
export const returns = (job: JobName, newItems: JsonValue[], value: JsonValue = 1) =>
  reportOf(job, { type: 'completed', value, newItems });
export const broken = (job: JobName) =>
  reportOf(job, { type: 'failed', error: { kind: 'permanent', code: 'broken', message: 'for good' } });
/** A tooth stands beside others, and knows of further ones. */
export const TEETH: PlannedStep = {
  ...scriptedStep([]),
  ...each({ key: 'each.item.id', related: { beside: 'each.item.beside' } }),
  with: { finds: 'each.item.finds', sees: 'each.related.beside.map(r, [r.key, has(r.result)])' },
};
export const tooth = (id: string, beside: string[], finds: JsonValue[] = []): JsonValue => ({ id, beside, finds });
