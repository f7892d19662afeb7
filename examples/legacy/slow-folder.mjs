#!/usr/bin/env node
/**
 * A legacy program that runs by itself: it watches FOLDER/in, takes its time over each `*.in` file, and answers in
 * FOLDER/out with a receipt that counts lines, words and bytes.
 *
 *   slow-folder.mjs FOLDER        (or the variable SLOW_FOLDER)
 *
 * SLOW_FOLDER_DELAY_MS  how long it takes over a file; 500 by default
 * SLOW_FOLDER_FAIL      fails for one file of so many, by chance; 10 by default, 0 for never
 *
 * Like many of its kind it is no model: it writes its answer in two halves with a pause between them, so that whoever
 * takes the answer before NAME.done is there gets half of it. When it fails it leaves NAME.err with a sentence.
 */
import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const folder = process.argv[2] ?? process.env.SLOW_FOLDER;
const delayMs = Number(process.env.SLOW_FOLDER_DELAY_MS ?? 500);
const failOneOf = Number(process.env.SLOW_FOLDER_FAIL ?? 10);

if (!folder || !Number.isFinite(delayMs) || !Number.isFinite(failOneOf)) {
  console.error('usage: slow-folder.mjs FOLDER');
  process.exit(64);
}

const inFolder = join(folder, 'in');
const workFolder = join(folder, 'work');
const outFolder = join(folder, 'out');
for (const each of [inFolder, workFolder, outFolder]) await mkdir(each, { recursive: true });

// Whoever starts it may hold the other end of its standard input: it ends when that is closed.
if (process.env.CONNECTA_PARENT_WATCH === 'stdin') process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));
process.on('SIGINT', () => process.exit(0));

/** Takes one file: moves it aside, thinks, answers or complains. */
async function answer(name) {
  const stem = name.slice(0, -'.in'.length);
  const taken = join(workFolder, name);
  await rename(join(inFolder, name), taken);
  await sleep(delayMs);
  const text = await readFile(taken, 'utf8');
  if (text.includes('PLEASE FAIL') || (failOneOf > 0 && Math.random() * failOneOf < 1)) {
    await writeFile(join(outFolder, `${stem}.err`), 'E042 the drum is out of alignment; try again\n');
  } else {
    const receipt = `lines ${text.split('\n').length - 1}\nwords ${text.split(/\s+/).filter(Boolean).length}\n`;
    const file = await open(join(outFolder, `${stem}.out`), 'w');
    await file.write(receipt);
    await sleep(delayMs / 2);
    await file.write(`bytes ${Buffer.byteLength(text)}\n`);
    await file.close();
    await writeFile(join(outFolder, `${stem}.done`), '');
  }
  await rm(taken, { force: true });
}

console.log(`watching ${inFolder}`);
for (;;) {
  const names = (await readdir(inFolder)).filter((name) => name.endsWith('.in') && !name.startsWith('.'));
  for (const name of names) await answer(name).catch((error) => console.error(`${name}: ${error.message}`));
  await sleep(100);
}
