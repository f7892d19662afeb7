/**
 * Runs every workspace's tests in one Jest run over services that all of them share, then those that boot the whole system,
 * two at a time, and what measures time by itself. Whatever is named on the command line goes to Jest as a pattern.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { shareTestServices } from '@connecta/embedded';
import { expectReports, readReports, reportsFolder } from './reports.mjs';
import { testRuns, type TestRun } from './test-runs.ts';

const root = join(import.meta.dirname, '..');
const jest = join(root, 'node_modules/jest/bin/jest.js');
/** A run that has written its report and does not end has a handle open that some test forgot. */
const exitGraceMs = 10_000;
const leakedWorker = 'A worker process has failed to exit gracefully';

async function runJest({ name, cwd, options }: TestRun, patterns: readonly string[]): Promise<boolean> {
  const report = join(reportsFolder, `${name}.json`);
  const reporting = ['--json', `--outputFile=${report}`, '--reporters=default'];
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jest, ...reporting, ...options];
  // A part of the tests covers a part of the code, and lies in some of the runs only.
  const part = patterns.length > 0 ? ['--passWithNoTests', '--coverage=false', '--', ...patterns] : [];
  const child = spawn(process.execPath, [...args, ...part], {
    cwd,
    // Jest prints the report to stdout as well; a person reads what the reporters say on stderr.
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const seen = { leak: false, slowWorker: false, exit: false };
  child.stderr.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    if (chunk.includes(leakedWorker)) seen.slowWorker = true;
  });
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void exit.then(() => (seen.exit = true));
  process.once('exit', () => child.kill('SIGKILL'));
  void endWhenReported(report, () => {
    if (seen.exit) return;
    seen.leak = true;
    child.kill('SIGKILL');
  });
  const code = await exit;
  // Jest gives its workers half a second to end, which on a busy machine says little: a run of one file proves a leak.
  if (seen.slowWorker)
    process.stderr.write(`${name}: a worker ended late; if it does so again, look for an open handle\n`);
  if (seen.leak) process.stderr.write(`${name}: a test left a handle open (run it alone with --detectOpenHandles)\n`);
  return code === 0 && !seen.leak;
}

async function endWhenReported(report: string, end: () => void): Promise<void> {
  while (!existsSync(report)) await new Promise((resolve) => setTimeout(resolve, 500).unref());
  setTimeout(end, exitGraceMs).unref();
}

async function main(patterns: readonly string[]): Promise<boolean> {
  rmSync(reportsFolder, { recursive: true, force: true });
  mkdirSync(reportsFolder, { recursive: true });
  const services = await shareTestServices();
  try {
    let passed = true;
    const runs = await testRuns(root);
    if (patterns.length === 0) expectReports(runs);
    for (const run of runs) passed = (await runJest(run, patterns)) && passed;
    return passed;
  } finally {
    await services.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
process.once('disconnect', () => process.exit(1));
process.channel?.unref();
const passed = await main(process.argv.slice(2));
const { line, complete, skipped, idle } = readReports();
for (const title of skipped) process.stdout.write(`skipped: ${title}\n`);
for (const project of idle) process.stdout.write(`no test passed in ${project}\n`);
process.stdout.write(`${line}\n`);
process.exitCode = passed && complete ? 0 : 1;
