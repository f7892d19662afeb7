import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandLine, connectaFile } from '../src/command-line.ts';
import { hasPrograms } from '../src/shell-blocks.ts';
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

  test('a workflow file in JSON needs no name of its own, is drawn in each form, and told where it is no YAML', async () => {
    const steps = { a: { uses: 'generic/add-2' }, b: { wait: { for: 'approval' }, needs: ['a'] } };
    await cli.write(
      'wide.json',
      JSON.stringify({ steps: { ...steps, c: { uses: 'probe/quick', needs: ['b:edit'] } } }),
    );
    expect(await cli.run('workflows', 'validate', 'wide.json')).toMatchObject({ code: 0 });
    // Given a dry run, then nothing is saved; given a real one, then under the file's name
    expect(await cli.json('workflows', 'apply', '-f', 'wide.json', '--dry-run')).toMatchObject([{ action: 'create' }]);
    expect((await cli.run('workflows', 'get', 'wide')).code).toBe(5);
    expect(await cli.json('workflows', 'apply', '-f', 'wide.json')).toMatchObject([{ name: 'wide', version: 1 }]);
    expect((await cli.run('workflows', 'get', 'wide@1')).out).toContain('name: wide\n');
    expect((await cli.run('workflows', 'get', 'wide@2')).code).toBe(5);
    const graph = async (format: string): Promise<string> =>
      (await cli.run('workflows', 'graph', 'wide.json', '--format', format)).out;
    expect(await graph('tree')).toBe('a  generic/add-2\n└─ b  wait for approval\n   └─ [edit] c  probe/quick\n');
    expect(await graph('mermaid')).toContain('s1 -->|edit| s2');
    expect(await graph('dot')).toContain('"b" -> "c" [label="edit"];');
    // And what is no YAML is told with each of its places
    await cli.write('no.yaml', 'name: [a\nsteps:\n  a: { uses: b, uses: c }\n  d: *e\n');
    for (const command of [['validate'], ['apply', '-f']]) {
      const { code, err } = await cli.run('workflows', ...command, 'no.yaml');
      expect(code).toBe(7);
      expect(err).toMatch(/no\.yaml:2:[^]*no\.yaml:3:[^]*no\.yaml:4:/);
    }
    await cli.write('alias.yaml', 'steps:\n  d: *e\n');
    const alias = await cli.run('workflows', 'apply', '-f', 'alias.yaml');
    expect(alias).toMatchObject({
      code: 7,
      err: expect.stringMatching(/alias\.yaml:2:6: aliases are not allowed: \*e\n/),
    });
    expect((await cli.run('workflows', 'graph', 'no.yaml')).code).toBe(2);
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

  test('a pipeline across teams is tried on all its cases, each told apart', async () => {
    // Given a workflow of two teams' tasks and two recorded cases
    await cli.write(
      'teams.yaml',
      'steps:\n  a: { uses: generic/add-2 }\n  b: { uses: probe/quick, needs: [a] }\nparams: { note: {} }\n',
    );
    await cli.write('teams/one/input.json', '1');
    await cli.write('teams/two/input.yaml', '2');
    await cli.write('teams/two/params.json', '{"note": "x"}');
    expect((await cli.run('test', 'teams.yaml', '--cases', 'teams', '--update')).code).toBe(0);
    // When one team changes its setup, then each case says what came out
    await cli.write('quick.yaml', 'task: probe/quick\nfunction: probe.work\nsettings: { ms: 5, add: 2 }\n');
    expect((await cli.run('profiles', 'diff', '-f', 'quick.yaml')).out).toContain('-   add: 1\n+   add: 2');
    await cli.json('profiles', 'apply', '-f', 'quick.yaml');
    const { code, out } = await cli.run('test', 'teams.yaml', '--cases', 'teams', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject([
      { name: 'one', verdict: 'different', expected: { result: 4 }, actual: { result: 5 } },
      { name: 'two', verdict: 'different', expected: { result: 5 }, actual: { result: 6 } },
    ]);
    // And a case that is none is a fault of the command
    expect((await cli.run('test', 'teams.yaml', '--cases', 'nowhere')).code).toBe(2);
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

  const { PATH = '', CI } = process.env;
  const inBash = CI === 'true' || hasPrograms(PATH, 'bash') ? test : test.skip;

  inBash('bash completes by the script', async () => {
    const script = `connecta() { '${process.execPath}' '${connectaFile}' "$@"; }
      eval "$(connecta completion bash)"
      for words in 'workflows get cha' 'profiles edit generic/tim' 'orders '; do
        COMP_WORDS=(connecta $words); [ "$words" = 'orders ' ] && COMP_WORDS+=('')
        COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _connecta; echo "\${COMPREPLY[@]}"
      done`;
    const child = spawn('bash', ['-c', script], { cwd: cli.folder, env: cli.environment(), stdio: 'pipe' });
    const { out } = await cli.ended(child);
    expect(out.split('\n').slice(0, 2)).toEqual(['chain', 'generic/times-2']);
    expect(out.split('\n')[2]).toContain('list get watch');
  });
});

/** Asks until the answer is as wanted; bounded. */
async function eventually<Answer>(ask: () => Promise<Answer>, wanted: (answer: Answer) => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!wanted(await ask()) && Date.now() < end) await sleep(100);
}
