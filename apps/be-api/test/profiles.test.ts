import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type ProfileId } from '@connecta/contracts';
import { Harness, apiRegistration, faultPaths } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start();
});
afterAll(() => harness.close());

const liveProfiles = (workerType: string) =>
  harness.store.prisma.profile.findMany({ where: { workerType, deletedAt: null }, orderBy: { name: 'asc' } });

describe('profiles', () => {
  const profile = (name: string, more: object = {}) => ({
    ...{ id: newId<ProfileId>(), name, function: 'painter.do', revision: 1 },
    ...more,
  });
  const tell = async (profiles: object[]) =>
    (await harness.as('painter').put('/v1/worker-types/painter/profiles').send({ profiles }).expect(200)).body as {
      written: number;
      passedOver: number;
    };

  test('are known from registration on, and a deletion that was missed is made up for by the next', async () => {
    const [a, b] = [profile('a'), profile('b')];
    await harness.register(apiRegistration('painter', { profiles: [a, b] }));
    expect((await liveProfiles('painter')).map((row) => row.name)).toEqual(['a', 'b']);
    await harness.register(apiRegistration('painter', { profiles: [a, { ...b, deleted: true }] }));
    expect((await liveProfiles('painter')).map((row) => row.name)).toEqual(['a']);
    await tell([{ ...a, deleted: true }]);
  });

  test('an older revision never overwrites a newer one', async () => {
    const c = profile('c');
    expect(await tell([{ ...c, revision: 3, function: 'painter.new' }])).toEqual({ written: 1, passedOver: 0 });
    expect(await tell([{ ...c, revision: 2 }])).toEqual({ written: 0, passedOver: 1 });
    expect(await liveProfiles('painter')).toMatchObject([{ name: 'c', revision: 3, function: 'painter.new' }]);
    await tell([{ ...c, revision: 3, deleted: true }]);
    await tell([{ ...c, revision: 3 }]);
    expect(await liveProfiles('painter')).toEqual([]);
  });

  test('two may swap names, and a new one takes the name of one that was renamed', async () => {
    const [d, e] = [profile('d'), profile('e')];
    await tell([d, e]);
    await tell([
      { ...d, name: 'e', revision: 2 },
      { ...e, name: 'd', revision: 2 },
    ]);
    expect(await liveProfiles('painter')).toMatchObject([
      { id: e.id, name: 'd' },
      { id: d.id, name: 'e' },
    ]);
    // d was renamed to f; that e's name is free again is heard before the new name.
    const g = profile('e');
    await tell([g]);
    await tell([{ ...d, name: 'f', revision: 3 }]);
    expect((await liveProfiles('painter')).map((row) => row.id)).toEqual([e.id, g.id, d.id]);
    await tell([d, e, g].map((told) => ({ ...told, revision: 9, deleted: true })));
  });

  test('a live name twice is a 400, a type that never registered a 404', async () => {
    const put = (type: 'painter' | 'cu') => harness.as(type).put(`/v1/worker-types/${type}/profiles`);
    const twice = await put('painter')
      .send({ profiles: [profile('x'), profile('x')] })
      .expect(400);
    expect(faultPaths(twice.body)).toEqual(['/profiles/1/name']);
    await harness.store.prisma.workerType.deleteMany({ where: { name: 'cu' } });
    await put('cu').send({ profiles: [] }).expect(404);
  });

  test('a name of a foreign type becomes an alias only while it is free', async () => {
    const old = profile('old', { function: 'cu.exec' });
    const aliases = [
      { from: 'cu/old', to: 'painter/new' },
      { from: 'cu/free', to: 'painter/new' },
    ];
    await harness.register(apiRegistration('cu', { profiles: [old] }), 'cu');
    const claim = async (list: object[] = aliases) =>
      (await harness.register(apiRegistration('painter', { aliases: list }))).aliases.map(({ from, state }) => [
        from,
        state,
      ]);
    expect(await claim()).toEqual([
      ['cu/free', 'active'],
      ['cu/old', 'name_taken'],
    ]);
    await harness.register(apiRegistration('cu', { profiles: [{ ...old, deleted: true }] }), 'cu');
    expect(await claim()).toEqual([
      ['cu/free', 'active'],
      ['cu/old', 'active'],
    ]);
    expect(await liveProfiles('cu')).toMatchObject([
      { name: 'free', aliasOf: 'painter/new' },
      { name: 'old', aliasOf: 'painter/new' },
    ]);
    // Neither another type nor an end of the list keeps or takes what is not its own.
    const other = await harness.register(
      apiRegistration('packer', { aliases: [{ from: 'cu/old', to: 'packer/x' }] }),
      'packer',
    );
    expect(other.aliases).toMatchObject([{ state: 'name_taken' }]);
    await claim(aliases.slice(0, 1));
    expect(await liveProfiles('cu')).toMatchObject([{ name: 'old', aliasOf: 'painter/new' }]);
    // The type whose name it is always wins.
    await harness.register(apiRegistration('cu', { profiles: [profile('old')] }), 'cu');
    expect(await liveProfiles('cu')).toMatchObject([{ name: 'old', aliasOf: null }]);
  });
});
