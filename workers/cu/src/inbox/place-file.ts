import { constants } from 'node:fs';
import { copyFile, link, lstat, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { syncFolder } from '../shares/regular-file.ts';

const code = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** A file's name with something put between its stem and its ending. */
export function nameWith(name: string, insert: string): string {
  const ending = extname(name);
  return `${name.slice(0, name.length - ending.length)}${insert}${ending}`;
}

/** True when something of this name is there. */
async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}

/**
 * Gives a whole file its final name, at once, and never over another file: when the name is taken, `otherName` is used.
 * Returns the name.
 *
 * @param part the finished file, in the same folder.
 */
export async function publishFile(part: string, name: string, otherName: string): Promise<string> {
  const folder = dirname(part);
  for (const candidate of [name, otherName]) {
    const target = join(folder, candidate);
    try {
      // A second name for the same file, and then without the first: unlike a rename this never replaces anything.
      await link(part, target);
    } catch (error) {
      if (code(error) === 'EEXIST') continue;
      // File systems of some network shares have no links.
      if (await exists(target)) continue;
      await rename(part, target);
    }
    await rm(part, { force: true });
    await syncFolder(folder);
    return candidate;
  }
  throw new Error(`${name} and ${otherName} are taken in ${folder}`);
}

/** Moves a file to a path that is its own, also onto another file system; there it appears whole. */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (code(error) !== 'EXDEV') throw error;
    const part = join(dirname(to), `.${Date.now()}-${process.pid}.part`);
    await copyFile(from, part, constants.COPYFILE_EXCL);
    const file = await open(part, 'r+');
    await file.sync().finally(() => file.close());
    await rename(part, to);
    await rm(from, { force: true });
  }
  await syncFolder(dirname(to));
}

/**
 * Reserves a name in the folder for rejected files by writing its reason first. Returns the name; the same one again
 * when it was reserved with this very text before, so that a crash in between leaves no second reason.
 */
export async function reserveRejected(folder: string, names: readonly string[], reason: string): Promise<string> {
  for (const name of names) {
    const path = join(folder, `${name}.reason.txt`);
    try {
      if (!(await exists(join(folder, name)))) {
        await writeFile(path, reason, { flag: 'wx' });
        return name;
      }
    } catch (error) {
      if (code(error) !== 'EEXIST') throw error;
      if ((await readFile(path, 'utf8').catch(() => '')) === reason) return name;
    }
  }
  throw new Error(`no name for ${names[0] ?? 'the file'} is free in ${folder}`);
}
