import { describe, expect, test } from '@jest/globals';
import { INLINE_VALUE_BYTES, isBlobRef, newId, type BlobRef, type JsonValue } from '@connecta/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { FunctionError } from '../function/function-error.ts';
import { defineFunction } from '../function/function.ts';
import type { ChildOrder, ChildOrderRequest, FunctionContext, FunctionResult } from '../function/function.ts';
import { FunctionTrial, type TrialFailure } from '../testing/function-trial.ts';

const fn = (run: (context: FunctionContext) => Promise<FunctionResult>, more: object = {}) =>
  defineFunction({
    name: 'test.fn',
    version: '1.0.0',
    settingsSchema: { type: 'object', properties: { step: { type: 'integer', default: 2 } } },
    inputSchema: {},
    outputSchema: {},
    ...more,
    run,
  });
const echo = fn(async ({ input }) => ({ value: input }));
const trial = new FunctionTrial();
const returns = (value: unknown) => fn(async () => ({ value: value as JsonValue }));

describe('an attempt', () => {
  test('that is short reports its start with its end', async () => {
    const { value, reports } = await trial.run(echo, { input: 7 });
    expect(value).toBe(7);
    expect(reports).toMatchObject([
      { type: 'completed', attempt: 1, instance: 'trial', startedAt: expect.any(String) },
    ]);
  });

  test('that takes longer than 100 ms reports its start on its own', async () => {
    const slow = fn(async () => {
      await sleep(180);
      return { value: 1 };
    });
    const { reports } = await trial.run(slow, { input: null });
    expect(reports.map((r) => r.type)).toEqual(['started', 'completed']);
    expect(reports[1]).not.toHaveProperty('startedAt');
  });

  test('thins out its progress, but tells each checkpoint', async () => {
    const checkpoint = await trial.blobs.create({ mediaType: 'text/plain' }, Buffer.from('x'));
    const busy = fn(async ({ progress }) => {
      for (let i = 1; i <= 30; i++) {
        await progress(i / 100);
        await sleep(10);
      }
      await progress(0.5, checkpoint);
      await progress(0.6, checkpoint);
      throw new FunctionError('retryable', 'tired', 'later', { retryAfterMs: 5 });
    });
    const failure = await trial.run(busy, { input: null }).catch((error: unknown) => error as TrialFailure);
    const { reports, context } = failure as TrialFailure;
    const told = reports.flatMap((r) => (r.type === 'progress' ? [r.progress] : []));
    expect(told.filter((p) => p < 0.5).length).toBeLessThanOrEqual(2);
    expect(told.slice(-2)).toEqual([0.5, 0.6]);
    expect(reports[0]?.type).toBe('started');
    expect(context).toEqual(checkpoint);
    expect(reports.at(-1)).toMatchObject({ type: 'failed', retryAfterMs: 5, context: checkpoint });
  });

  test('gets defaults, parameters and the context of an earlier attempt', async () => {
    const context = await trial.blobs.create({ mediaType: 'text/plain' }, Buffer.from('x'));
    const tell = fn(async (c) => ({ value: [c.settings, c.params, c.context ?? null] as JsonValue }));
    const { value } = await trial.run(tell, { input: 1, context, params: { a: 1 } });
    expect(value).toEqual([{ step: 2 }, { a: 1 }, context]);
  });

  test('has its signal aborted, and says why', async () => {
    const controller = new AbortController();
    const waits = fn(async ({ signal }) => {
      await sleep(10_000, null, { signal });
      return { value: 1 };
    });
    setTimeout(() => controller.abort(), 20);
    await expect(trial.run(waits, { input: 1, signal: controller.signal })).rejects.toMatchObject({
      kind: 'permanent',
      code: 'cancelled',
    });
  });
});

describe('an error', () => {
  test('thrown as a FunctionError is told as it is', async () => {
    const refuse = fn(() => Promise.reject(new FunctionError('business', 'no_money', 'the account is empty')));
    await expect(trial.run(refuse, { input: 1 })).rejects.toMatchObject({ kind: 'business', code: 'no_money' });
  });

  test('of any other kind is retryable, bounded, without a stack', async () => {
    const broken = fn(() => Promise.reject(new TypeError(`bad \0${'x'.repeat(5000)}\ud800`)));
    const failure = await trial.run(broken, { input: 1 }).catch((error: unknown) => error as TrialFailure);
    expect(failure).toMatchObject({ kind: 'retryable', code: 'function_error' });
    expect((failure as Error).message).toHaveLength(2000);
    expect(JSON.stringify((failure as TrialFailure).reports)).not.toContain('.ts:');
  });
});

describe('an input', () => {
  const picky = fn(async ({ input }) => ({ value: input }), { inputSchema: { type: 'number' } });

  test('that the function cannot take is a permanent error with its place', async () => {
    await expect(trial.run(picky, { input: 'five' })).rejects.toMatchObject({
      kind: 'permanent',
      code: 'invalid_input',
      message: expect.stringContaining('must be number') as unknown,
    });
  });

  test('that travels as a JSON blob is read back, alone or as a part', async () => {
    const json = await trial.blobs.create({ mediaType: 'application/json' }, Buffer.from('{"a":[1,2]}'));
    const image = await trial.blobs.create({ mediaType: 'image/png' }, Buffer.from('x'));
    expect((await trial.run(echo, { input: json })).value).toEqual({ a: [1, 2] });
    expect((await trial.run(echo, { input: { one: json, two: image } })).value).toEqual({
      one: { a: [1, 2] },
      two: image,
    });
    expect((await trial.run(echo, { input: image })).value).toEqual(image);
    const raw = { ...echo, jsonBlobInput: 'blob' as const };
    expect((await trial.run(raw, { input: json })).value).toEqual(json);
  });

  test('that is no JSON although it says so is refused', async () => {
    const broken = await trial.blobs.create({ mediaType: 'application/json' }, Buffer.from('{'));
    const bomb = await trial.blobs.create(
      { mediaType: 'application/json' },
      Buffer.from('['.repeat(5000) + ']'.repeat(5000)),
    );
    for (const input of [broken, bomb])
      await expect(trial.run(echo, { input })).rejects.toMatchObject({ code: 'invalid_input' });
  });

  describe('that is a legacy file', () => {
    const input = { file: { share: 'in', path: 'a/b.txt' } };
    /** Answers child orders as the worker with the shares does. */
    const fetching =
      (bytes: string, mediaType = 'text/plain') =>
      async (request: ChildOrderRequest): Promise<ChildOrder> => {
        expect(request.tasks).toEqual(['cu/fetch']);
        expect(request.input).toEqual(input);
        return { id: newId(), state: 'completed', result: await trial.blobs.create({ mediaType }, Buffer.from(bytes)) };
      };

    test('arrives as its reference where the function takes files', async () => {
      expect((await trial.run({ ...echo, fileInput: 'file' }, { input })).value).toEqual(input);
    });

    test('is refused where JSON in a blob names it: anybody can write that', async () => {
      const json = await trial.blobs.create({ mediaType: 'application/json' }, Buffer.from(JSON.stringify(input)));
      for (const given of [json, { a: json, b: input }]) {
        const run = trial.run({ ...echo, fileInput: 'file' }, { input: given });
        await expect(run).rejects.toMatchObject({ kind: 'permanent', code: 'file_not_allowed' });
      }
      expect((await trial.run(echo, { input: json })).value).toEqual(input);
    });

    test('arrives as a blob everywhere else, fetched by a child order', async () => {
      const { value } = await trial.run(echo, { input, placeOrder: fetching('text') });
      expect((await trial.blobs.read(value as BlobRef)).toString()).toBe('text');
    });

    test('arrives as a blob in a list and as one of several inputs too', async () => {
      const placeOrder = fetching('text');
      const { value: list } = await trial.run(echo, { input: [1, input], placeOrder });
      expect(list).toEqual([1, expect.objectContaining({ mediaType: 'text/plain' })]);
      const { value: joined } = await trial.run(echo, { input: { a: 1, b: input }, placeOrder });
      expect(joined).toEqual({ a: 1, b: expect.objectContaining({ mediaType: 'text/plain' }) });
    });

    test('arrives as a value when it is JSON', async () => {
      const placeOrder = fetching('{"a":1}', 'application/json');
      expect((await trial.run(echo, { input, placeOrder })).value).toEqual({ a: 1 });
    });

    test('that cannot be fetched fails the job with the reason', async () => {
      const error = { code: 'file_missing', message: 'no such file' };
      const placeOrder = async (): Promise<ChildOrder> => ({ id: newId(), state: 'failed', result: null, error });
      const failure = trial.run(echo, { input, placeOrder });
      await expect(failure).rejects.toMatchObject({ kind: 'permanent', code: 'file_unavailable' });
      await expect(failure).rejects.toThrow('no such file');
    });
  });
});

describe('a result', () => {
  test('of more than 8 KiB becomes a blob, one of 8 KiB does not', async () => {
    const edge = 'x'.repeat(INLINE_VALUE_BYTES - 2);
    expect((await trial.run(echo, { input: edge })).value).toBe(edge);
    for (const big of [`${edge}x`, 'ä'.repeat(5000), Array.from({ length: 3000 }, () => 1.5)]) {
      const { value } = await trial.run(echo, { input: big });
      expect(isBlobRef(value)).toBe(true);
      const bytes = await trial.blobs.read(value as BlobRef);
      expect(JSON.parse(bytes.toString())).toEqual(big);
    }
  });

  test.each([
    ['undefined', undefined],
    ['NaN', { a: [Number.NaN] }],
    ['a date', new Date()],
    ['a NUL', ['\0']],
    ['half a surrogate pair', { '\ud800': 1 }],
    ['a bigint', 5n],
  ])('with %s is refused', async (_name, value) => {
    await expect(trial.run(returns(value), { input: 1 })).rejects.toMatchObject({
      kind: 'permanent',
      code: 'invalid_output',
    });
  });

  test('nested too deeply or in a circle is refused', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    await expect(trial.run(returns(circle), { input: 1 })).rejects.toMatchObject({ code: 'invalid_output' });
  });

  test('that is of an item returns further ones, over 8 KiB as a blob; what is no list of JSON is refused', async () => {
    const finds = (newItems: unknown) => fn(async () => ({ value: 1, newItems: newItems as JsonValue[] }));
    expect(await trial.run(finds([1, { a: 2 }]), { input: 1 })).toMatchObject({ value: 1, newItems: [1, { a: 2 }] });
    expect((await trial.run(returns(1), { input: 1 })).newItems).toBeUndefined();
    const { newItems } = await trial.run(finds(['x'.repeat(9000)]), { input: 1 });
    expect(newItems).toMatchObject({ mediaType: 'application/json' });
    for (const wrong of ['x', { a: 1 }, [() => 1]]) {
      await expect(trial.run(finds(wrong), { input: 1 })).rejects.toMatchObject({ code: 'invalid_output' });
    }
  });

  test('that breaks the output schema, or is no result at all, is refused', async () => {
    const wrong = fn(async () => ({ value: 'x' }), { outputSchema: { type: 'number' } });
    await expect(trial.run(wrong, { input: 1 })).rejects.toMatchObject({ code: 'invalid_output' });
    const none = fn(async () => undefined as unknown as FunctionResult);
    await expect(trial.run(none, { input: 1 })).rejects.toMatchObject({ code: 'invalid_output' });
  });
});
