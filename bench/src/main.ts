/** `npm run bench`: Connecta and its floor, a long list, or a filled database, measured in turn in one run; see README.md. */
import { join } from 'node:path';
import { filledTitles, runFilled } from './filled/run-filled.ts';
import { listTitles, runLists } from './lists/run-lists.ts';
import { readOptions, usage } from './options.ts';
import type { BenchOptions } from './options.ts';
import { pairReportOf } from './pair-report.ts';
import { summarisePairs } from './pairs.ts';
import { makeRecord, writeRecord } from './record.ts';
import { reportOf } from './report.ts';
import { runBench } from './run-bench.ts';
import type { BenchSurroundings } from './run-bench.ts';
import { summarise } from './summary.ts';

const repository = join(import.meta.dirname, '../..');
const tell = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(stopping: AbortSignal): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(usage);
  const { report, ...figures } = await measure(options, {
    dataDir: join(repository, '.connecta/bench'),
    searchPath: process.env['PATH'] ?? '',
    tell,
    stopping,
  });
  const record = makeRecord({ options, ...figures });
  const file = writeRecord(record, join(repository, 'bench/results'));
  process.stdout.write(options.json ? `${JSON.stringify(record)}\n` : `\n${report}`);
  tell(`Every figure is in ${file}`);
}

async function measure(
  options: BenchOptions,
  surroundings: BenchSurroundings,
): Promise<{ rounds: readonly unknown[]; summary: unknown; report: string }> {
  if (options.lists) {
    const rounds = await runLists(options, surroundings);
    const summary = summarisePairs(rounds);
    return { rounds, summary, report: pairReportOf(summary, listTitles) };
  }
  if (options.filled !== undefined) {
    const rounds = await runFilled(options, options.filled, surroundings);
    const summary = summarisePairs(rounds);
    return { rounds, summary, report: pairReportOf(summary, filledTitles(options.filled)) };
  }
  const rounds = await runBench(options, surroundings);
  const summary = summarise(rounds);
  return { rounds, summary, report: reportOf(summary) };
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
