import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandLine, connectaFile } from '../src/command-line.ts';
import { hasPrograms, runBlocks, shellBlocks, type ShellBlock } from '../src/shell-blocks.ts';
import { TestSystem } from '../src/system.ts';

const root = join(import.meta.dirname, '../..');
const { PATH = '', HOME = '', CI = '' } = process.env;
const withTools = CI !== '' || hasPrograms(PATH, 'bash', 'curl', 'node') ? describe : describe.skip;

/** What differs from run to run is cut out of the text with an ellipsis, or is an id. */
function isTheSameEachTime({ shown }: ShellBlock): boolean {
  return shown !== undefined && !/…|[0-9a-f]{8}-[0-9a-f]{4}-7/.test(shown);
}

async function readBlocks(file: string, heading?: string): Promise<ShellBlock[]> {
  return shellBlocks(await readFile(join(root, file), 'utf8'), heading);
}

withTools('what the documents tell a reader to type', () => {
  let system: TestSystem;
  let shorthands: ShellBlock;
  let firstOrder: ShellBlock[];

  beforeAll(async () => {
    system = await TestSystem.start({ legacySamples: true });
    const [forTheReader, ...blocks] = await readBlocks('README.md', 'A first order of your own');
    // The reader puts in what `npm start` printed; here both are known.
    expect(forTheReader?.commands).toContain('export KEY=');
    firstOrder = blocks;
    shorthands = blocks[0] as ShellBlock;
    expect(shorthands.commands).toContain('connecta()');
  });
  afterAll(() => system.stop());

  /** Runs blocks in one shell and compares what they print with what the text shows. */
  async function expectToPrint(blocks: readonly ShellBlock[], cwd = root, more: object = {}): Promise<void> {
    const env = {
      PATH,
      HOME,
      CONNECTA: system.api.url,
      KEY: system.api.key,
      BE_API_URL: system.running.beUrl,
      ...more,
    };
    const outputs = await runBlocks(blocks, { cwd, env });
    const told = blocks.map(({ commands, shown }, i) => ({ commands, shown, printed: outputs[i] }));
    const stable = told.filter(isTheSameEachTime);
    expect(stable.length).toBeGreaterThan(0);
    expect(stable.map(({ commands, printed }) => ({ commands, printed: printed?.trimEnd() }))).toEqual(
      stable.map(({ commands, shown }) => ({ commands, printed: shown?.trimEnd() })),
    );
  }

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

  // The key that the API's page makes shows up in what the operator's prints, the README's setup in all: in this order.
  test.each([
    { file: 'docs/orders.md' },
    { file: 'docs/workflows.md' },
    { file: 'docs/failures.md' },
    { file: 'docs/reruns.md' },
    { file: 'docs/setups.md' },
    { file: 'docs/operations.md', heading: 'Keys and roles' },
    { file: 'docs/api.md' },
    { file: 'docs/waiting.md' },
    { file: 'docs/foreach.md' },
    { file: 'docs/schedules.md' },
    { file: 'docs/tasks.md' },
    { file: 'docs/notifications.md' },
    { file: 'docs/legacy.md' },
  ])('$file', async ({ file, heading }: { file: string; heading?: string }) => {
    await expectToPrint([shorthands, ...(await readBlocks(file, heading))]);
  });

  test('README.md, a first order', async () => {
    await expectToPrint(firstOrder);
  });

  // It adds a worker type, which the README's lists show.
  test('docs/protocol.md', async () => {
    await expectToPrint([shorthands, ...(await readBlocks('docs/protocol.md', 'A first claim by hand'))]);
  });

  test('docs/cli.md', async () => {
    const sections = [
      'Which installation, and as whom',
      'Placing orders',
      'Profiles',
      'Workflows',
      'Trying a pipeline on recorded inputs',
      'Schedules, tasks, workers',
    ];
    const cli = await CommandLine.open(system.api);
    // That an order fails (1) or a file is refused (7) is what some examples are about.
    const commands = `connecta() { '${process.execPath}' '${connectaFile}' "$@" || [[ $? =~ ^[17]$ ]]; }`;
    const blocks = await Promise.all(sections.map((heading) => readBlocks('docs/cli.md', heading)));
    await expectToPrint([{ commands, shown: undefined }, ...blocks.flat()], cli.folder, {
      ...cli.environment({ EDITOR: 'true' }),
    });
    await cli.close();
  });
});
