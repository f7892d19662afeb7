import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandLine, connectaFile } from '../src/commandLine.ts';
import { TestSystem } from '../src/system.ts';
describe('setups, workflows and keys from the command line', () => {
  let system: TestSystem;
  let cli: CommandLine;

  beforeAll(async () => {
    system = await TestSystem.start({ workerTypes: ['generic', 'probe'] });
    cli = await CommandLine.open(system.api);
  });
  afterAll(async () => {
    await cli.close();
    await system.stop();
  });

  test('profiles are applied once, shown as they differ, and edited only as they were read', async () => {
    await cli.write('profiles/three.yaml', 'task: generic/plus\nfunction: math.add\nsettings: { operand: 3 }\n');
    expect(await cli.json('profiles', 'apply', '-f', 'profiles', '--dry-run')).toMatchObject([{ action: 'create' }]);
    expect(await cli.json('profiles', 'apply', '-f', 'profiles')).toMatchObject([{ action: 'create', revision: 1 }]);
    expect(await cli.json('profiles', 'apply', '-f', 'profiles')).toMatchObject([{ action: 'keep', revision: 1 }]);
    // When somebody edits it, the editor's text becomes the next revision
    await cli.write('editor.sh', '#!/bin/sh\nsed -i "s/operand: 3/operand: 4/" "$1"\n');
    const edited = await cli.runWith({ EDITOR: 'sh editor.sh' }, 'profiles', 'edit', 'generic/plus');
    expect(edited).toMatchObject({ code: 0, out: expect.stringContaining('revision 2') });
    expect((await cli.run('profiles', 'diff', 'generic/plus')).out).toContain('-   operand: 3\n+   operand: 4');
    // When it was changed while the editor was open, then nothing is overwritten
    const meanwhile = `${process.execPath} ${connectaFile} profiles apply -f profiles`;
    await cli.write('slow-editor.sh', `${meanwhile}\nsed -i "s/operand: 4/operand: 5/" "$1"\n`);
    const late = await cli.runWith({ EDITOR: 'sh slow-editor.sh' }, 'profiles', 'edit', 'generic/plus');
    expect(late).toMatchObject({ code: 6, err: expect.stringContaining('precondition_failed') });
    expect(await cli.json('profiles', 'get', 'generic/plus')).toMatchObject({ settings: { operand: 3 } });
    // And settings that do not fit their function are refused with the file and the field
    await cli.write('wrong.yaml', 'task: generic/plus\nfunction: math.add\nsettings: { operand: x }\n');
    expect(await cli.run('profiles', 'apply', '-f', 'wrong.yaml')).toMatchObject({
      code: 7,
      err: expect.stringMatching(/wrong\.yaml:1[^]*operand/),
    });
  });

  test('a workflow is checked with its lines, applied once, and drawn', async () => {
    await cli.write(
      'chain.yaml',
      'name: chain\nsteps:\n  a: { uses: generic/add-2 }\n  b: { uses: generic/nope, needs: [a] }\n',
    );
    const checked = await cli.run('workflows', 'validate', 'chain.yaml');
    expect(checked.code).toBe(7);
    expect(checked.out).toMatch(/chain\.yaml:4:\d+: .*generic\/nope/);
    expect(checked.out).toContain('4 │   b: { uses: generic/nope, needs: [a] }');
    await cli.write(
      'chain.yaml',
      'name: chain\nsteps:\n  a: { uses: generic/add-2 }\n  b: { uses: generic/times-2, needs: [a] }\n',
    );
    expect(await cli.json('workflows', 'apply', '-f', 'chain.yaml')).toMatchObject([{ action: 'create', version: 1 }]);
    expect(await cli.json('workflows', 'apply', '-f', 'chain.yaml')).toMatchObject([{ action: 'keep', version: 1 }]);
    expect((await cli.run('workflows', 'graph', 'chain')).out).toBe('a  generic/add-2\n└─ b  generic/times-2\n');
  });

  const root = join(import.meta.dirname, '../..');

  test('a pipeline is tried on recorded inputs, and leaves no workflow behind', async () => {
    await cli.write('pipe.yaml', 'name: pipe\nsteps:\n  a: { uses: generic/add-2 }\n');
    await cli.write('cases/five/input.json', '5\n');
    await cli.write('pictures.yaml', 'name: pictures\nsteps:\n  a: { uses: generic/bright }\n');
    await mkdir(join(cli.folder, 'pictures/photo'), { recursive: true });
    await writeFile(join(cli.folder, 'pictures/photo/input.jpg'), await readFile(join(root, 'examples/photo.jpg')));
    expect((await cli.run('test', 'pipe.yaml', '--cases', 'cases')).code).toBe(1);
    expect((await cli.run('test', 'pipe.yaml', '--cases', 'cases', '--update')).code).toBe(0);
    expect((await cli.run('test', 'pipe.yaml', '--cases', 'cases')).code).toBe(0);
    // When the pipeline changes what it does, the difference is shown
    await cli.write('pipe.yaml', 'name: pipe\nsteps:\n  a: { uses: generic/times-2 }\n');
    const changed = await cli.run('test', 'pipe.yaml', '--cases', 'cases');
    expect(changed).toMatchObject({ code: 1, out: expect.stringContaining('/result is 10, expected 7') });
    // And a picture is alike by its bytes, or by a tolerance
    expect((await cli.run('test', 'pictures.yaml', '--cases', 'pictures', '--update')).code).toBe(0);
    expect((await cli.run('test', 'pictures.yaml', '--cases', 'pictures')).code).toBe(0);
    const expectedFile = join(cli.folder, 'pictures/photo/expected.json');
    await writeFile(
      expectedFile,
      (await readFile(expectedFile, 'utf8')).replace(/"sha256": "...."/, '"sha256": "0000'),
    );
    await writeFile(expectedFile, (await readFile(expectedFile, 'utf8')).replace(/"sha256": "..../, '"sha256": "0000'));
    expect((await cli.run('test', 'pictures.yaml', '--cases', 'pictures')).out).toContain('has other bytes');
    await cli.write('pictures/photo/case.yaml', 'images: 0.01\n');
    expect((await cli.run('test', 'pictures.yaml', '--cases', 'pictures')).code).toBe(0);
    const names = (await cli.json<{ name: string }[]>('workflows', 'list')).map(({ name }: { name: string }) => name);
    expect(names.filter((name: string) => name.startsWith('test-'))).toEqual([]);
  });

  test('an order waits for a decision, and is run again from a step on', async () => {
    // Given a workflow in which a person decides
    await cli.write(
      'review.yaml',
      'name: review\nsteps:\n  plus: { uses: generic/add-2 }\n  ok: { wait: { for: approval }, needs: [plus] }\n',
    );
    await cli.json('workflows', 'apply', '-f', 'review.yaml');
    const { id } = await cli.json<{ id: string }>('run', 'review', '--input', '5');
    // Nobody may decide on what does not wait, nor twice
    await eventually(
      () => system.api.order(id),
      (order) => order.jobs['ok']?.state === 'waiting',
    );
    expect(await cli.json('decide', id, 'edit', '--value', '8', '-m', 'better')).toMatchObject({ step: 'ok' });
    expect(await system.api.ended(id)).toMatchObject({ state: 'completed', result: 8 });
    expect((await cli.run('decide', id, 'approve')).code).toBe(6);
    // When it is looked at what a re-run would do, then the step before the decision keeps its result
    const plan = await cli.json<{ steps: object }>('orders', 'rerun', id, '--dry-run');
    expect(plan.steps).toMatchObject({ plus: { decision: 'reuse' }, ok: { decision: 'recompute' } });
  });

  test('a key is made, shown once, and revoked', async () => {
    const { key } = await cli.json<{ key: string }>('keys', 'create', 'cli viewer', '--role', 'viewer');
    const viewer = { CONNECTA_KEY: key };
    expect((await cli.runWith(viewer, 'orders', 'list')).code).toBe(0);
    expect((await cli.runWith(viewer, 'run', 'generic/add-2', '-i', '1')).code).toBe(4);
    expect((await cli.run('keys', 'list')).out).not.toContain(key);
    expect((await cli.run('keys', 'revoke', 'cli viewer')).code).toBe(0);
  });

  test('finds the local system of a data directory, whose access file only its owner can read', async () => {
    const dataDir = system.running.embedded.dataDir.path;
    const { PATH = '', HOME = '' } = cli.environment();
    const env = { PATH, HOME, CONNECTA_DATA_DIR: dataDir };
    expect((await stat(join(dataDir, 'access.json'))).mode & 0o777).toBe(0o600);
    expect((await cli.ended(cli.beginIn(env, ['workers', 'list', '-o', 'yaml']))).out).toContain('type: generic');
  });

  test('completes commands, options, and the names of tasks', async () => {
    const complete = async (...words: string[]): Promise<string[]> =>
      (await cli.run('complete', '--', ...words)).out.trim().split('\n');
    expect(await complete('ord')).toEqual(['orders']);
    expect(await complete('orders', 're')).toEqual(['retry', 'rerun']);
    expect(await complete('run', '--fr')).toEqual(['--from-csv']);
    expect(await complete('run', 'generic/add')).toEqual(['generic/add-2']);
    for (const shell of ['bash', 'zsh', 'fish'])
      expect((await cli.run('completion', shell)).out).toContain('connecta complete');
  });
});

/** Asks until the answer is as wanted; bounded. */
async function eventually<Answer>(ask: () => Promise<Answer>, wanted: (answer: Answer) => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!wanted(await ask()) && Date.now() < end) await sleep(100);
}
