import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { createMessageChecker } from './asyncapi.ts';
import { ASYNCAPI_DOCUMENT } from './documents.ts';
import { newId } from './ids.ts';
import { workerEventSchema } from './messages.ts';

const document = parse(readFileSync(ASYNCAPI_DOCUMENT, 'utf8')) as Record<string, unknown>;
const faultsOf = createMessageChecker(document);
const head = { jobId: newId(), attempt: 1, lease: 'l', instance: 'i', at: '2026-01-01T00:00:00.000Z' };
const blob = { blobId: newId(), mediaType: 'text/plain', size: 1, sha256: '0'.repeat(64) };
const error = { kind: 'business', code: 'c', message: '' };
const REPORTS = [
  ['Started', { ...head, type: 'started' }],
  ['Progress', { ...head, type: 'progress', progress: 0.5, context: blob }],
  ['Completed', { ...head, type: 'completed', value: null, newItems: [1, 'two'], startedAt: head.at }],
  ['Completed', { ...head, type: 'completed', value: null, newItems: blob }],
  ['Failed', { ...head, type: 'failed', error, retryAfterMs: 5 }],
] as const;

describe('the AsyncAPI document', () => {
  test('names a message for every channel and a schema for every message', () => {
    const { asyncapi, channels, components } = document as {
      asyncapi: string;
      channels: Record<string, { messages: Record<string, { $ref: string }> }>;
      components: { messages: Record<string, { payload: { $ref: string } }>; schemas: Record<string, unknown> };
    };
    expect(asyncapi).toBe('3.0.0');
    const names = Object.values(channels).flatMap(({ messages }) => Object.values(messages).map(({ $ref }) => $ref));
    expect(names.toSorted()).toEqual(
      Object.keys(components.messages)
        .map((name) => `#/components/messages/${name}`)
        .toSorted(),
    );
    for (const { payload } of Object.values(components.messages)) {
      expect(Object.keys(components.schemas)).toContain(payload.$ref.split('/').at(-1));
    }
  });

  test.each(REPORTS)(
    'accepts %s as the parser does, and refuses it without its head or under another name',
    (schema, report) => {
      expect(faultsOf(schema, report)).toEqual([]);
      expect(workerEventSchema.safeParse(report).success).toBe(true);
      for (const name of Object.keys(head)) {
        const { [name as keyof typeof head]: _, ...rest } = report;
        expect(faultsOf(schema, rest)).not.toEqual([]);
        expect(workerEventSchema.safeParse(rest).success).toBe(false);
      }
      for (const [other] of REPORTS) if (other !== schema) expect(faultsOf(other, report)).not.toEqual([]);
    },
  );

  test('accepts a job with one input, alone or in a pack, and no other', () => {
    const { blobId, ...rest } = blob;
    const job = { profileId: newId(), profileRevision: 1, lease: 'l', traceparent: '' };
    for (const input of [{ value: null }, { blobId, blob: rest }, { file: { share: 's', path: 'p' } }]) {
      expect(faultsOf('JobMessage', { ...job, ...input })).toEqual([]);
      const member = { name: 'f', data: { ...job, ...input } };
      expect(faultsOf('Pack', { pack: [member, member] })).toEqual([]);
    }
    expect(faultsOf('JobMessage', job)).not.toEqual([]);
    expect(faultsOf('JobMessage', { ...job, value: 1, blobId, blob: rest })).not.toEqual([]);
  });
});
