import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import { silentLogger } from '@connecta/runtime';
import type { Express } from 'express';
import request from 'supertest';
import { compileCatalogue } from '../function/catalogue.ts';
import { defineFunction } from '../function/function.ts';
import { ProfileService } from '../profiles/profile-service.ts';
import { openProfileStore, type ProfileStore, type StoredProfile } from '../profiles/profile-store.ts';
import { openSecretVault } from '../profiles/secret-vault.ts';
import { KEPT_SECRET } from '../profiles/settings.ts';
import { createWorkerApp } from './worker-app.ts';

const gatewayKey = 'the-gateway';
const post = defineFunction({
  name: 'http.post',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['url'],
    additionalProperties: false,
    properties: { url: { type: 'string', format: 'uri' }, token: { type: 'string', writeOnly: true } },
  },
  inputSchema: {},
  outputSchema: {},
  run: () => Promise.resolve({ value: null }),
});
let services: TestServices;
let store: ProfileStore;
let app: Express;
const changes: StoredProfile[] = [];
beforeAll(async () => {
  services = await testServices();
  const databaseUrl = await services.workerDatabaseUrl('worker-app');
  store = openProfileStore({ databaseUrl, applicationName: 'test', onError: () => undefined });
  const catalogue = compileCatalogue([post]);
  const vault = openSecretVault({ key: randomBytes(32).toString('base64url') });
  app = createWorkerApp({
    type: 'test',
    store,
    service: new ProfileService({ store, catalogue, vault }),
    catalogue,
    vault,
    gatewayKey,
    onChange: (profile) => void changes.push(profile),
    log: silentLogger(),
    responseValidation: true,
  });
}, 60_000);
beforeEach(() => void changes.splice(0));
afterAll(async () => {
  await store.close();
  await services.close();
});

const send = (method: 'get' | 'post' | 'put' | 'delete', path: string): request.Test =>
  request(app)[method](path).set('authorization', `Bearer ${gatewayKey}`);
const body = (name: string, settings: object = { url: 'http://a.example' }) => ({
  name,
  function: 'http.post',
  settings,
});

describe('a setup', () => {
  test('is created, read, changed and deleted, each change with its ETag and told', async () => {
    const created = await send('post', '/v1/profiles').send(body('whole', { url: 'http://a.example', token: 't' }));
    expect(created.status).toBe(201);
    expect(created.headers).toMatchObject({ etag: '"1"', location: `/v1/profiles/${created.body.id}` });
    expect(created.body.settings).toEqual({ url: 'http://a.example', token: KEPT_SECRET });
    const path = created.headers['location'] as string;
    expect((await send('get', path)).body).toEqual(created.body);

    const changed = await send('put', path)
      .set('if-match', '"1"')
      .send(body('whole', { url: 'http://b.example' }));
    expect([changed.status, changed.headers['etag'], changed.body.revision]).toEqual([200, '"2"', 2]);
    expect(changed.body.settings.token).toBe(KEPT_SECRET);

    expect((await send('delete', path).set('if-match', '"2"')).status).toBe(204);
    expect((await send('get', path)).status).toBe(404);
    expect(changes.map(({ revision, deletedAt }) => [revision, deletedAt !== null])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    const revisions = await send('get', `${path}/revisions?limit=1`);
    expect(revisions.body.items).toMatchObject([{ revision: 2, settings: { url: 'http://b.example' } }]);
    const next = await send('get', `${path}/revisions?limit=1&cursor=${revisions.body.nextCursor}`);
    expect(next.body).toMatchObject({ items: [{ revision: 1 }], nextCursor: null });
    expect((await send('get', `${path}/revisions/1`)).body).toMatchObject({ name: 'whole', revision: 1 });
    expect((await send('get', `${path}/revisions/9`)).status).toBe(404);
  });

  test('is only changed by whoever knows how it is', async () => {
    const { body: profile } = await send('post', '/v1/profiles').send(body('etag'));
    const path = `/v1/profiles/${profile.id}`;
    expect((await send('put', path).send(body('etag'))).body.code).toBe('precondition_required');
    expect((await send('delete', path)).status).toBe(428);
    const stale = await send('put', path).set('if-match', '"7"').send(body('etag'));
    expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
    expect((await send('put', path).set('if-match', 'seven').send(body('etag'))).status).toBe(400);
    expect(
      (
        await send('put', path)
          .set('if-match', '*')
          .send(body('etag', { url: 'http://c.example' }))
      ).status,
    ).toBe(200);
    expect((await send('delete', path).set('if-match', '"1"')).status).toBe(412);
  });

  test('with wrong settings is refused with every fault', async () => {
    const answer = await send('post', '/v1/profiles').send(body('wrong', { token: 5, extra: true }));
    expect(answer.status).toBe(422);
    expect(answer.headers['content-type']).toContain('application/problem+json');
    expect(answer.body.code).toBe('invalid_settings');
    const faults = answer.body.errors as { path: string }[];
    expect(faults.map(({ path }) => path).sort()).toEqual(['/settings/extra', '/settings/token', '/settings/url']);
  });

  test.each([
    ['an unknown function', { ...body('x'), function: 'no.such' }, 422, 'unknown_function'],
    ['a wrong name', body('Not A Name'), 400, 'bad_request'],
    ['a missing part', { name: 'x' }, 400, 'bad_request'],
    ['a NUL', body('x', { url: 'http://a.example', token: '\0' }), 400, 'bad_request'],
  ])('with %s is refused', async (_what, wrong, status, code) => {
    const answer = await send('post', '/v1/profiles').send(wrong);
    expect([answer.status, answer.body.code]).toEqual([status, code]);
  });

  test('is made once under one Idempotency-Key', async () => {
    const once = () => send('post', '/v1/profiles').set('idempotency-key', 'key-1').send(body('once'));
    const [first, second] = [await once(), await once()];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.body.id).toBe(first.body.id);
    const other = await send('post', '/v1/profiles').set('idempotency-key', 'key-1').send(body('other'));
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_mismatch']);
    expect((await send('post', '/v1/profiles').send(body('once'))).body.code).toBe('name_taken');
  });
});

describe('the list', () => {
  test('comes in pages and by name or function', async () => {
    for (const name of ['page-a', 'page-b', 'page-c']) await send('post', '/v1/profiles').send(body(name));
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const page = await send('get', `/v1/profiles?limit=2${cursor && `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      seen.push(...(page.body.items as { name: string }[]).map(({ name }) => name));
      if (page.body.nextCursor === null) break;
      cursor = page.body.nextCursor as string;
    }
    expect(seen.slice(-3)).toEqual(['page-a', 'page-b', 'page-c']);
    expect(new Set(seen).size).toBe(seen.length);
    expect((await send('get', '/v1/profiles?name=page-b')).body.items).toHaveLength(1);
    expect((await send('get', '/v1/profiles?function=no.such')).body.items).toEqual([]);
    expect((await send('get', '/v1/profiles?cursor=xyz')).status).toBe(400);
  });

  test('of functions tells their schemas', async () => {
    const { body: list } = await send('get', '/v1/functions');
    expect(list.items).toMatchObject([{ name: 'http.post', version: '1.0.0', cacheable: false, misfits: [] }]);
  });
});

test('nobody but the gateway is let in; whether it lives is for everybody', async () => {
  expect((await request(app).get('/v1/profiles')).body.code).toBe('unauthenticated');
  expect((await request(app).get('/v1/functions').set('authorization', 'Bearer other')).status).toBe(401);
  expect((await request(app).get('/live')).status).toBe(200);
  expect((await request(app).get('/ready')).status).toBe(200);
});
