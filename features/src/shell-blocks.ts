import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Commands of a document, and the output that it shows for them, if it shows any. */
export interface ShellBlock {
  readonly commands: string;
  readonly shown: string | undefined;
}

/** The `sh` blocks of a document or of one section, each with the plain block that follows before the next one. */
export function shellBlocks(markdown: string, heading?: string): ShellBlock[] {
  const after = heading === undefined ? markdown : markdown.split(`\n## ${heading}\n`)[1];
  if (after === undefined) throw new Error(`there is no section '${heading ?? ''}'`);
  const section = heading === undefined ? after : (after.split('\n## ')[0] ?? '');
  const blocks = [...section.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(([, language, text = '']) => ({
    language,
    text,
  }));
  return blocks.flatMap(({ language, text }, i) => {
    if (language !== 'sh') return [];
    const next = blocks[i + 1];
    return [{ commands: text, shown: next?.language === '' ? next.text : undefined }];
  });
}

/** True where a reader's tools are: a machine with Node and npm alone may lack them. */
export function hasPrograms(searchPath: string, ...names: readonly string[]): boolean {
  const folders = searchPath.split(delimiter);
  return names.every((name) => folders.some((folder) => isExecutable(join(folder, name))));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs all blocks in one shell, as a reader's terminal would, and gives what each printed. The first command that fails
 * ends it with an error that holds the commands and what was said.
 */
export async function runBlocks(
  blocks: readonly ShellBlock[],
  options: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<string[]> {
  const mark = '=== next block ===';
  const script = ['set -e -o pipefail', ...blocks.map(({ commands }) => `echo '${mark}'\n${commands}`)].join('\n');
  const child = spawn('bash', ['-c', script], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  let complained = '';
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
  child.stderr.on('data', (chunk: Buffer) => (complained += String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const outputs = said.split(`${mark}\n`).slice(1);
  if (code !== 0) {
    const failed = blocks[outputs.length - 1]?.commands ?? '';
    throw new Error(`ended with ${String(code)}:\n${failed}\n${outputs.at(-1) ?? ''}\n${complained}`);
  }
  return outputs;
}
