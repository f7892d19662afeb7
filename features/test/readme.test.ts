import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasPrograms, runBlocks, shellBlocks, type ShellBlock } from '../src/shellBlocks.ts';
import { TestSystem } from '../src/system.ts';

const root = join(import.meta.dirname, '../..');
/** The reader is told to put in what `npm start` printed; here both are known. */
const isForTheReader = ({ commands }: ShellBlock): boolean => commands.includes('export KEY=');
/** What differs from run to run is cut out of the text with an ellipsis. */
const isWhole = ({ shown }: ShellBlock): boolean => shown !== undefined && !shown.includes('…');

const { PATH = '', HOME = '', CI = '' } = process.env;
const withTools = CI !== '' || hasPrograms(PATH, 'bash', 'curl', 'node') ? describe : describe.skip;

withTools('the README', () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await TestSystem.start();
  });
  afterAll(() => system.stop());

  test('the samples that npm start sends all end as they must', async () => {
    const client = spawn(process.execPath, [join(root, 'scripts/sample-client.ts')], {
      env: { PATH, CONNECTA_URL: system.api.url, CONNECTA_KEY: system.api.key },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    client.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
    const [code] = (await once(client, 'close')) as [number | null];
    expect(said).not.toContain('✗');
    expect(code).toBe(0);
  });

  test('every command of the first order runs and prints what the text shows', async () => {
    const readme = await readFile(join(root, 'README.md'), 'utf8');
    const all = shellBlocks(readme, 'A first order of your own');
    const blocks = all.filter((block) => !isForTheReader(block));
    expect(all.length - blocks.length).toBe(1);
    const env = { PATH, HOME, CONNECTA: system.api.url, KEY: system.api.key };
    const outputs = await runBlocks(blocks, { cwd: root, env });
    const shown = blocks.filter(isWhole).map(({ shown }) => shown);
    expect(outputs.filter((_, i) => isWhole(blocks[i] as ShellBlock))).toEqual(shown);
    expect(shown.length).toBeGreaterThan(3);
  });
});
