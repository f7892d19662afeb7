#!/usr/bin/env node
/**
 * The `connecta` command. It is TypeScript that Node 24 runs as it is; on an older Node it goes on in the project's own.
 * So this file keeps to what Node 20 understands and imports nothing else.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ownNode = fileURLToPath(new URL('../../../node_modules/.bin/node', import.meta.url));
const runsTypeScript = Number(process.versions.node.split('.')[0]) >= 24;

if (runsTypeScript) {
  await import('../src/main.ts');
} else if (existsSync(ownNode)) {
  const child = spawn(ownNode, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A Ctrl-C reaches both: what it means is for the child to say.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`connecta: ${ownNode} cannot be run: ${error.message}\n`);
    process.exitCode = 8;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
} else {
  process.stderr.write(
    `connecta: Node 24 or newer is needed, this is ${process.version}.\n` +
      "Run 'npm start' or 'npm ci' once in the repository: it brings a Node of its own.\n",
  );
  process.exitCode = 8;
}
