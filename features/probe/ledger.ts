import { randomUUID } from 'node:crypto';
import { appendFile, link, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Run {
  readonly jobId: string;
  readonly attempt: number;
}

const file = process.env['PROBE_LEDGER'];

/** Writes down what really happens in an attempt: `begin`, `done`, `left` (it has no result), `answered-409` … */
export async function note(word: string, { jobId, attempt }: Run, value?: number): Promise<void> {
  if (file)
    await appendFile(file, `${word} ${jobId} ${attempt} ${process.pid}${value === undefined ? '' : ` ${value}`}\n`);
}

/**
 * An effect on the world outside, as a careful function has it: under the key of its step and in one move, so that it
 * takes place once however often the step is tried. An attempt that finds it done notes `again`, with what it would be.
 */
export async function takeEffect(run: Run, value: number): Promise<void> {
  if (!file) return;
  const folder = `${file}.effects`;
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify({ attempt: run.attempt, value }));
  const isFirst = await link(draft, join(folder, run.jobId)).then(
    () => true,
    () => false,
  );
  await rm(draft);
  await note(isFirst ? 'effect' : 'again', run, value);
}
