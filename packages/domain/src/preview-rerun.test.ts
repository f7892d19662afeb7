import { describe, expect, test } from '@jest/globals';
import { newId, type BlobId, type BlobRef, type ProfileId } from '@connecta/contracts';
import { fingerprintParts } from './fingerprint.ts';
import { compilePlan, type CompiledPlan, type PlannedStep, type TaskStep } from './plan.ts';
import { contextsOf, previewRerun, type CachedResult, type OriginStep, type RerunQuestion } from './preview-rerun.ts';

const blob = (content: string): BlobRef => ({
  ...{ blobId: newId<BlobId>(), mediaType: 'a/b', size: 1, sha256: content.repeat(64) },
});
const step = (needs: string[], change: Partial<TaskStep> = {}): TaskStep => ({
  ...{ kind: 'task', uses: 'g/x', workerType: 'g', function: 'x', functionVersion: '1', needs },
  ...{ profileId: 'p' as ProfileId, profileRevision: 3, ...change },
});
const planOf = (steps: Record<string, PlannedStep>): CompiledPlan => compilePlan({ steps, outputs: ['c'] });
const chain = (change: Partial<TaskStep> = {}): CompiledPlan =>
  planOf({ a: step([]), b: step(['a'], change), c: step(['b']) });

const ran = (of: TaskStep, input: unknown, more: Partial<OriginStep> = {}): OriginStep => ({
  ...{ jobId: `job of ${String(input)}`, result: `after ${String(input)}`, context: null },
  parts: fingerprintParts({
    ...{
      workerType: of.workerType,
      function: of.function,
      profileId: of.profileId,
      functionVersion: of.functionVersion,
    },
    ...{ profileRevision: of.profileRevision, params: {}, input: input as string, given: null },
  }),
  ...{ proved: true, blobsAreThere: true, ...more },
});
const origin = new Map([
  ['a', ran(step([]), 1)],
  ['b', ran(step(['a']), 'after 1')],
  ['c', ran(step(['b']), 'after after 1')],
]);
const ask = (change: Partial<RerunQuestion>) =>
  Object.fromEntries(
    previewRerun({
      ...{ plan: chain(), origin, input: 1, params: {}, context: null, from: null },
      ...{ cacheTtlMs: null, cached: new Map(), ...change },
    }),
  );

describe('a re-run that is only asked about', () => {
  test('reuses everything when nothing changed', () => {
    expect(ask({})).toEqual({
      a: { decision: 'reuse', because: [], jobId: 'job of 1' },
      b: { decision: 'reuse', because: [], jobId: 'job of after 1' },
      c: { decision: 'reuse', because: [], jobId: 'job of after after 1' },
    });
  });

  test('runs what changed, says from what to what, and knows nothing of what is behind it', () => {
    expect(ask({ plan: chain({ profileRevision: 4 }) })).toMatchObject({
      a: { decision: 'reuse' },
      b: { decision: 'recompute', because: [{ what: 'profile', from: 'p@3', to: 'p@4' }] },
      c: { decision: 'unknown', because: [{ what: 'upstream', steps: ['b'] }] },
    });
  });

  test('tells another input, other params, another context', () => {
    expect(ask({ input: 2 })['a']).toMatchObject({ decision: 'recompute', because: [{ what: 'input' }] });
    expect(ask({ context: blob('a') })['a']).toMatchObject({ because: [{ what: 'context' }] });
    expect(ask({ params: { scheduledAt: 'x' } })['a']).toMatchObject({ decision: 'reuse' });
    const params = ask({ params: { x: 1 } });
    expect([params['a'], params['b'], params['c']]).toMatchObject(
      [1, 2, 3].map(() => ({ because: [{ what: 'params' }] })),
    );
  });

  test('runs a step and everything behind it when that was asked for', () => {
    expect(ask({ from: 'b' })).toMatchObject({
      a: { decision: 'reuse' },
      b: { decision: 'recompute', because: [{ what: 'forced' }] },
      c: { decision: 'recompute', because: [{ what: 'forced' }] },
    });
  });

  test('runs what had not completed, what proves nothing, and what lost its bytes', () => {
    const less = (name: string, change: Partial<OriginStep>) =>
      new Map([...origin].map(([key, job]) => [key, key === name ? { ...job, ...change } : job]));
    expect(ask({ origin: new Map([...origin].slice(0, 2)) })['c']).toMatchObject({
      because: [{ what: 'not_completed' }],
    });
    expect(ask({ origin: less('b', { blobsAreThere: false }) })['b']).toMatchObject({
      because: [{ what: 'blobs_gone' }],
    });
    expect(ask({ origin: less('b', { proved: false }) })['b']).toMatchObject({ because: [{ what: 'no_fingerprint' }] });
    const each = chain({ forEach: { items: 'input', max: 1, onItemError: 'fail' } });
    expect(ask({ plan: each })['b']).toMatchObject({ because: [{ what: 'no_fingerprint' }] });
    const waiting: PlannedStep = { kind: 'wait', needs: ['a'], wait: { for: 'callback' } };
    expect(ask({ plan: planOf({ a: step([]), b: waiting, c: step(['b']) }) })['b']).toMatchObject({
      because: [{ what: 'no_fingerprint' }],
    });
    expect(ask({ plan: planOf({ a: step([]), d: waiting, c: step(['a']) }) })['d']).toMatchObject({
      because: [{ what: 'not_completed' }],
    });
  });

  test('takes what the cache holds for what would run, and then knows what is behind it', () => {
    const plan = chain({ profileRevision: 4, cache: { ttlMs: 1000 } });
    // First it says by what the cache may know the step.
    const first = ask({ plan });
    expect(first).toMatchObject({ b: { decision: 'recompute' }, c: { decision: 'unknown' } });
    const wanted = first['b']?.wanted as string;
    expect(first['c']).not.toHaveProperty('wanted');
    const held = { jobId: 'kept', orderId: 'elsewhere', result: 'after after 1', context: null, ageMs: 999 };
    const known = (result: CachedResult | null) => ask({ plan, cached: new Map([[wanted, result]]) });
    expect(known(held)).toMatchObject({
      b: { decision: 'cached', because: [{ what: 'profile' }], cached: { jobId: 'kept' } },
      c: { decision: 'reuse' },
    });
    expect(known({ ...held, result: 'another' })['c']).toMatchObject({
      decision: 'recompute',
      because: [{ what: 'input' }],
    });
    for (const nothing of [null, { ...held, ageMs: 1000 }]) {
      expect(known(nothing)).toMatchObject({ b: { decision: 'recompute' }, c: { decision: 'unknown' } });
      expect(known(nothing)['b']).not.toHaveProperty('wanted');
    }
  });

  test('does not ask the cache where it is off, where nothing is proved, or where the step is to run', () => {
    const changed = { profileRevision: 4, cache: { ttlMs: 1000 } };
    const wanted = (plan: CompiledPlan, more: Partial<RerunQuestion> = {}) => ask({ plan, ...more })['b']?.wanted;
    expect(wanted(chain(changed), { cacheTtlMs: 0 })).toBeUndefined();
    expect(wanted(chain(changed), { from: 'b' })).toBeUndefined();
    expect(wanted(chain({ ...changed, if: 'true' }))).toBeUndefined();
    const { functionVersion: _, ...unproved } = step(['a'], changed);
    expect(wanted(planOf({ a: step([]), b: unproved, c: step(['b']) }))).toBeUndefined();
    expect(wanted(chain({ ...changed, cacheable: true }), { origin: new Map([...origin].slice(0, 1)) })).toBeDefined();
  });

  test('cannot tell what expressions will give', () => {
    expect(ask({ plan: chain({ with: 'params.x' }) })['b']).toEqual({
      decision: 'unknown',
      because: [{ what: 'condition' }],
    });
    expect(ask({ plan: chain({ if: 'true', profileRevision: 4 }) })['b']?.decision).toBe('recompute');
  });
});

describe('the context of a step', () => {
  const [one, two] = [blob('a'), blob('b')];
  const of: Record<string, BlobRef | null> = { a: one, b: two, c: one, none: null };
  const given = (...needs: string[]) => contextsOf(needs, two, (need) => of[need] ?? null);

  test('is the order’s for a root, that of its one need, or none', () => {
    expect(given()).toEqual({ context: two });
    expect(contextsOf([], null, () => null)).toBeNull();
    expect(given('a')).toEqual({ context: one });
    expect(given('none')).toBeNull();
  });

  test('of several needs is keyed by need, and one where they share it', () => {
    expect(given('none', 'neither')).toBeNull();
    expect(given('a', 'b', 'none')).toEqual({ contexts: { a: one, b: two } });
    expect(given('a', 'c')).toEqual({ context: one, contexts: { a: one, c: one } });
  });
});
