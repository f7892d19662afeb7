/**
 * `npm start` on the project's own Node: boots the whole system, has a separate client send the sample orders, and stays
 * up until Ctrl-C. `--once` ends after the samples, with 0 only if each ended as it must.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { startSystem } from '@connecta/embedded';
import type { ProcessLog, RunningSystem } from '@connecta/embedded';
import { seedServiceAccounts } from '@connecta/store';

const root = join(import.meta.dirname, '..');
const dataDir = resolve(root, process.env['CONNECTA_DATA_DIR'] ?? '.connecta');
const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** A process that dies is worth a line; that one is up is what everybody expects. */
const log: ProcessLog = ({ process: name, event, detail = '' }) => {
  if (event === 'died' || event === 'failed') print(`! ${name} ${event}: ${detail}`);
};

function portOf(variable: 'CONNECTA_FE_PORT' | 'CONNECTA_BE_PORT', fallback: number): number {
  const port = Number(process.env[variable] ?? fallback);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`${variable} is not a port`);
  return port;
}

function boot(): Promise<RunningSystem> {
  print('Starting Postgres, the queue, Blob Storage and every process of the system…');
  return startSystem({
    dataDir,
    env: process.env,
    seedServiceAccounts,
    legacySamples: true,
    log,
    ports: { fe: portOf('CONNECTA_FE_PORT', 4000), be: portOf('CONNECTA_BE_PORT', 4100) },
  });
}

/** The samples come from a process of their own, which knows nothing but the address and the key, as any client. */
async function sendSamples(system: RunningSystem, stopping: AbortSignal): Promise<boolean> {
  const client = spawn(process.execPath, [join(root, 'scripts/sample-client.ts')], {
    env: { PATH: process.env['PATH'], CONNECTA_URL: system.feUrl, CONNECTA_KEY: system.adminKey },
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: stopping,
  });
  const [code] = (await once(client, 'exit')) as [number | null];
  return code === 0;
}

function printAddresses({ feUrl, beUrl, adminKey, embedded }: RunningSystem): void {
  const queue = embedded.env['QUEUE_BACKEND'] === 'redis' ? 'on Redis' : 'on Postgres';
  print('');
  print(`  clients    ${feUrl}/docs`);
  print(`  workers    ${beUrl}/docs`);
  print(`  admin key  ${adminKey}`);
  print(`  queue      ${queue}`);
  print(`  data, logs ${dataDir}`);
  print('');
}

async function main(stopping: AbortSignal): Promise<number> {
  const system = await boot();
  try {
    const succeeded = await sendSamples(system, stopping);
    printAddresses(system);
    if (!succeeded && !stopping.aborted) print('Not every sample order ended as it must: see above and the logs.');
    if (process.argv.includes('--once')) return succeeded ? 0 : 1;
    print('Running until Ctrl-C.');
    if (!stopping.aborted) await keepRunning(stopping);
    return 0;
  } finally {
    print('Stopping…');
    await system.stop();
  }
}

async function keepRunning(stopping: AbortSignal): Promise<void> {
  // A timer is what keeps this process alive: its children are not allowed to.
  const alive = setInterval(() => undefined, 60_000);
  await once(stopping, 'abort');
  clearInterval(alive);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
process.on('disconnect', () => stop.abort());
process.channel?.unref();
try {
  process.exitCode = await main(stop.signal);
} catch (error) {
  if (stop.signal.aborted) process.exitCode = 130;
  else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
