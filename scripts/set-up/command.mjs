import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Says on stderr what takes a while; stdout belongs to the program that the set-up is for. */
export function note(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a command silently; what it said is kept for the one who has to explain a failure. */
export function run(command, args, options = {}) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  const output = shortened(`${stdout ?? ''}${stderr ?? ''}`.trimEnd().split('\n')).join('\n');
  return { ok: status === 0, output: error ? `${error.message}\n${output}` : output || `ended by ${signal ?? status}` };
}

/** Some programs say first what is wrong and then at length how they are used, others the other way round. */
function shortened(lines) {
  return lines.length <= 40 ? lines : [...lines.slice(0, 20), '…', ...lines.slice(-20)];
}

/** npm as it was called, else the one on PATH. */
export function runNpm(args, options) {
  const npmCli = process.env.npm_execpath;
  if (npmCli?.endsWith('.js')) return run(process.execPath, [npmCli, ...args], options);
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
}
