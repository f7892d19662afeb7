import { describe, expect, test } from '@jest/globals';
import { PROBLEMS } from '@connecta/contracts';
import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8');
const documents = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: root });

/** The cells of all rows of a document's tables. */
function rowsOf(markdown: string): string[][] {
  const rows = markdown.split('\n').filter((line) => line.startsWith('|'));
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** The anchors that a document's headings make. */
function anchorsOf(markdown: string): string[] {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('the documents', () => {
  test('every problem code stands in docs/api.md with its status and title', async () => {
    const rows = rowsOf(await read('docs/api.md')).filter(([code = '']) => /^`[a-z_]+`$/.test(code));
    expect(rows).toEqual(
      Object.entries(PROBLEMS).map(([code, { status, title }]) => [`\`${code}\``, `${status}`, title]),
    );
  });

  test('every environment variable of every process stands in docs/operations.md', async () => {
    const configs = globSync(
      ['apps/*/src/config.ts', 'workers/*/src/config.ts', 'packages/worker-kit/src/process/config.ts'],
      {
        cwd: root,
      },
    );
    const sources = await Promise.all([...configs, 'packages/runtime/src/config/config-fields.ts'].map(read));
    const names = sources.flatMap((source) => source.match(/^ +[A-Z][A-Z0-9_]+(?=:)/gm) ?? []);
    const variables = [...new Set(names.map((name) => name.trim()))].filter((name) => name !== 'PATH');
    const text = await read('docs/operations.md');
    expect(configs.length).toBeGreaterThan(4);
    expect(variables.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  test.each(documents)('the links of %s lead somewhere', async (file) => {
    const text = await read(file);
    const broken: string[] = [];
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = '', anchor] = link.split('#');
      if (/^\w+:/.test(path)) continue;
      const target = path === '' ? file : join(dirname(file), path);
      const there = existsSync(join(root, target));
      if (!there || (anchor !== undefined && !anchorsOf(await read(target)).includes(anchor))) broken.push(link);
    }
    expect(broken).toEqual([]);
  });
});
