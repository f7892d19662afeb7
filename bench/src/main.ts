/** `npm run bench`: Connecta and its floor, measured in turn in one run; see README.md. */
import { join } from 'node:path';
import { readOptions, usage } from './options.ts';
import { makeRecord, writeRecord } from './record.ts';
import { reportOf } from './report.ts';
import { runBench } from './run-bench.ts';
import { summarise } from './summary.ts';

const repository = join(import.meta.dirname, '../..');
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(stopping: AbortSignal): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(usage);
  const rounds = await runBench(options, {
    dataDir: join(repository, '.connecta/bench'),
    searchPath: process.env['PATH'] ?? '',
    tell,
    stopping,
  });
  const record = makeRecord({ options, summary: summarise(rounds), rounds });
  const file = writeRecord(record, join(repository, 'bench/results'));
  process.stdout.write(options.json ? `${JSON.stringify(record)}\n` : `\n${reportOf(record.summary)}`);
  tell(`Every figure is in ${file}`);
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort());
process.on('disconnect', () => stop.abort());
process.channel?.unref();
try {
  await main(stop.signal);
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = stop.signal.aborted ? 130 : 1;
}
