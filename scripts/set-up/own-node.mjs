import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { root } from './command.mjs';

const bin = join(root, 'node_modules/.bin');

/** Programs of the project first, its own Node among them. */
export function environmentWithOwnNode() {
  return { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
}

/**
 * Goes on in the project's own Node (24, which runs TypeScript as it is) and ends as that program ends. The channel
 * between the two tells the program when this one is killed; signals are passed on.
 */
export function continueInOwnNode(script, args) {
  const child = spawn(join(bin, 'node'), ['--disable-warning=ExperimentalWarning', join(root, script), ...args], {
    cwd: root,
    env: environmentWithOwnNode(),
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  if (process.env.npm_lifecycle_event) stopWithNpm(() => child.kill('SIGTERM'));
  child.on('error', (error) => {
    throw error;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
  });
}

/** npm that is sent SIGTERM ends without a word to what it runs. */
function stopWithNpm(stop) {
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}
