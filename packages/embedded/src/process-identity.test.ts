import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { commandLine, endProcess, identify, isRunning } from './process-identity.ts';

const sleeper = (script = 'setInterval(() => {}, 1000)') =>
  spawn(process.execPath, ['-e', `${script}; console.log()`], { stdio: ['ignore', 'pipe', 'ignore'] });

test('a process is known by its pid and its start', () => {
  const self = identify(process.pid);
  expect(self && isRunning(self)).toBe(true);
  expect(isRunning({ pid: process.pid, startedAt: 'another time' })).toBe(false);
  expect(identify(4_000_000)).toBeUndefined();
  expect(identify(Number.NaN)).toBeUndefined();
});

test('the words of a command line are told', () => {
  expect(commandLine(process.pid)[0]).toContain('node');
  expect(commandLine(4_000_000)).toEqual([]);
});

test('a process that ignores its signal is killed in the end', async () => {
  const child = sleeper("process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
  await once(child.stdout, 'data');
  const exited = once(child, 'exit');
  await endProcess(identify(child.pid ?? 0) ?? { pid: 0, startedAt: '' }, { signals: ['SIGTERM'], graceMs: 100 });
  expect((await exited)[1]).toBe('SIGKILL');
});

test('a stranger with the same pid is left alone', async () => {
  const child = sleeper();
  await once(child.stdout, 'data');
  await endProcess({ pid: child.pid ?? 0, startedAt: 'earlier' }, { signals: ['SIGTERM'], graceMs: 100 });
  expect(identify(child.pid ?? 0)).toBeDefined();
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
});
