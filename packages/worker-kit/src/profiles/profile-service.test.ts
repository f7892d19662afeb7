import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import { compileCatalogue } from '../function/catalogue.ts';
import { defineFunction } from '../function/function.ts';
import { findMisfits } from './misfits.ts';
import { ProfileService } from './profile-service.ts';
import { openProfileStore, type ProfileStore } from './profile-store.ts';
import { findRevision, listAllProfiles, listRevisions } from './read-profiles.ts';
import { createSamples } from './samples.ts';
import { openSecretVault } from './secret-vault.ts';
import { KEPT_SECRET, showSettings, unsealSettings } from './settings.ts';

const send = defineFunction({
  name: 'mail.send',
  version: '1.0.0',
  settingsSchema: {
    type: 'object',
    required: ['host'],
    additionalProperties: false,
    properties: {
      host: { type: 'string', minLength: 1 },
      port: { type: 'integer', maximum: 65535, default: 25 },
      password: { type: 'string', writeOnly: true, minLength: 4 },
      accounts: {
        type: 'array',
        items: { type: 'object', properties: { name: { type: 'string' }, token: { $ref: '#/$defs/token' } } },
      },
    },
    $defs: { token: { type: 'string', writeOnly: true } },
  },
  inputSchema: {},
  outputSchema: {},
  run: () => Promise.resolve({ value: null }),
});
const catalogue = compileCatalogue([send]);
const key = randomBytes(32).toString('base64url');
const vault = openSecretVault({ key });
let services: TestServices;
let store: ProfileStore;
let service: ProfileService;
beforeAll(async () => {
  services = await testServices();
  const databaseUrl = await services.workerDatabaseUrl('profile-service');
  store = openProfileStore({ databaseUrl, applicationName: 'test', onError: () => undefined });
  service = new ProfileService({ store, catalogue, vault });
}, 60_000);
afterAll(async () => {
  await store.close();
  await services.close();
});
const write = (name: string, settings: object) => ({ name, function: 'mail.send', settings: settings as never });

describe('a profile', () => {
  test('begins at revision 1 and keeps every revision', async () => {
    const created = await service.create(write('revs', { host: 'a' }));
    const changed = await service.replace(created.id, 1, write('revs', { host: 'b' }));
    expect([created.revision, changed.revision]).toEqual([1, 2]);
    const revisions = await listRevisions(store, { profileId: created.id, limit: 10 });
    expect(revisions.map((r) => [r.revision, r.settings['host']])).toEqual([
      [2, 'b'],
      [1, 'a'],
    ]);
  });

  test('written with the same content keeps its revision', async () => {
    const created = await service.create(write('same', { host: 'a', password: 'hush' }));
    const again = await service.replace(created.id, 1, write('same', { password: KEPT_SECRET, host: 'a' }));
    expect(again.revision).toBe(1);
  });

  test('based on an older revision is refused, also when both come at once', async () => {
    const { id } = await service.create(write('race', { host: 'a' }));
    const writes = ['b', 'c', 'd'].map((host) => service.replace(id, 1, write('race', { host })));
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
    for (const o of outcomes)
      if (o.status === 'rejected') expect(o.reason).toMatchObject({ code: 'precondition_failed' });
  });

  test('tells every fault of its settings with its place', async () => {
    const wrong = { port: 70000, password: 'x', colour: 'red', accounts: [{ token: 5 }] };
    await expect(service.create(write('wrong', wrong))).rejects.toMatchObject({
      code: 'invalid_settings',
      faults: expect.arrayContaining(
        [
          '/settings/host',
          '/settings/port',
          '/settings/password',
          '/settings/colour',
          '/settings/accounts/0/token',
        ].map((path) => expect.objectContaining({ path })),
      ) as unknown,
    });
  });

  test('can take the name of a deleted one, not of a live one', async () => {
    const first = await service.create(write('name', { host: 'a' }));
    await expect(service.create(write('name', { host: 'b' }))).rejects.toMatchObject({ code: 'name_taken' });
    await service.delete(first.id, 1);
    const second = await service.create(write('name', { host: 'b' }));
    expect(second.id).not.toBe(first.id);
    await expect(findRevision(store, { profileId: first.id, revision: 1 })).resolves.toMatchObject({ name: 'name' });
  });

  test('is created once under one Idempotency-Key', async () => {
    const one = write('once', { host: 'a', password: 'hush' });
    const [first, second] = await Promise.all([service.create(one, 'k1'), service.create(one, 'k1')]);
    expect(second.id).toBe(first.id);
    await expect(service.create(write('once', { host: 'b' }), 'k1')).rejects.toMatchObject({
      code: 'idempotency_mismatch',
    });
  });

  test('has revisions that the database itself keeps unchanged', async () => {
    const { id } = await service.create(write('fixed', { host: 'a' }));
    await expect(
      store.prisma.profileRevision.updateMany({ where: { profileId: id }, data: { name: 'other' } }),
    ).rejects.toThrow(/immutable/);
  });
});

describe('secrets', () => {
  const settings = { host: 'a', password: 'hush', accounts: [{ name: 'x', token: 't0' }] };

  test('are encrypted at rest and never shown', async () => {
    const profile = await service.create(write('secret', settings));
    const rows = await store.prisma.$queryRaw`SELECT p::text AS p, r::text AS r FROM profiles p
      JOIN profile_revisions r ON r.profile_id = p.id WHERE p.name = 'secret'`;
    expect(JSON.stringify(rows)).not.toMatch(/hush|"t0/);
    expect(showSettings(profile)).toEqual({
      host: 'a',
      password: KEPT_SECRET,
      accounts: [{ name: 'x', token: KEPT_SECRET }],
    });
    expect(unsealSettings(profile, profile.id, vault)).toEqual(settings);
  });

  test('stay when a write leaves them out, change when it names them, go with null', async () => {
    const { id } = await service.create(write('keep', settings));
    const kept = await service.replace(id, 1, write('keep', { host: 'b', accounts: [] }));
    expect(unsealSettings(kept, id, vault)).toEqual({ host: 'b', password: 'hush', accounts: [] });
    const changed = await service.replace(id, 2, write('keep', { host: 'b', password: 'other' }));
    expect(unsealSettings(changed, id, vault)).toEqual({ host: 'b', password: 'other' });
    const gone = await service.replace(id, 3, write('keep', { host: 'b', password: null }));
    expect(unsealSettings(gone, id, vault)).toEqual({ host: 'b' });
  });

  test('cannot be kept where there are none', async () => {
    await expect(service.create(write('none', { host: 'a', password: KEPT_SECRET }))).rejects.toMatchObject({
      code: 'invalid_settings',
      faults: [{ path: '/settings/password' }],
    });
  });

  test('open under a former key, and only in their own place', async () => {
    const profile = await service.create(write('rotate', settings));
    const rotated = openSecretVault({ key: randomBytes(32).toString('base64url'), formerKeys: [key] });
    expect(unsealSettings(profile, profile.id, rotated)).toEqual(settings);
    expect(() => unsealSettings(profile, 'another-profile', rotated)).toThrow();
    const stranger = openSecretVault({ key: randomBytes(32).toString('base64url') });
    expect(() => unsealSettings(profile, profile.id, stranger)).toThrow(/was not given/);
  });
});

describe('at a start', () => {
  test('samples are made once and stay deleted', async () => {
    const samples = [write('sample-a', { host: 'a' }), write('sample-b', { host: 'b' })];
    const [one, two] = await Promise.all([
      createSamples(store, service, samples),
      createSamples(store, service, samples),
    ]);
    expect([...one, ...two].sort()).toEqual(['sample-a', 'sample-b']);
    const [made] = (await listAllProfiles(store)).filter((p) => p.name === 'sample-a');
    await service.delete(made?.id as never, '*');
    expect(await createSamples(store, service, samples)).toEqual([]);
  });

  test('profiles that a newer function does not accept are told, not lost', async () => {
    const profile = await service.create(write('older', { host: 'a' }));
    const newer = compileCatalogue([
      { ...send, version: '2.0.0', settingsSchema: { type: 'object', required: ['server'] } },
    ]);
    const misfits = findMisfits({ profiles: [profile], catalogue: newer, vault });
    expect(misfits).toMatchObject([{ name: 'older', revision: 1, errors: [{ path: '/settings/server' }] }]);
    expect(findMisfits({ profiles: [profile], catalogue: compileCatalogue([]), vault })).toHaveLength(1);
  });
});
