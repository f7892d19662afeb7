import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** The variable that every process of a job inherits, whatever group or session it moves to. */
export const JOB_MARK = 'CONNECTA_JOB_FOLDER';

/** After SIGKILL only the kernel is left to wait for. */
const KILLED_WAIT_MS = 2_000;
const POLL_MS = 20;

/**
 * Ends every process that a job started: its process group, and (on Linux) also those that left the group, found by
 * the mark in their environment. SIGTERM first, SIGKILL after `graceMs`. Returns whether nothing was left.
 *
 * @param options.group the process group, unless the process that led it is long gone.
 * @param options.folder the job's folder, the value of the mark.
 */
export async function endProcessTree(options: {
  group?: number | undefined;
  folder: string;
  graceMs: number;
}): Promise<boolean> {
  const tree = new ProcessTree(options.group, options.folder);
  if (!(await tree.signal('SIGTERM'))) return true;
  if (await tree.isGoneWithin(options.graceMs)) return true;
  await tree.signal('SIGKILL');
  return tree.isGoneWithin(KILLED_WAIT_MS);
}

class ProcessTree {
  readonly #group: number | undefined;
  readonly #folder: string;

  constructor(group: number | undefined, folder: string) {
    this.#group = group;
    this.#folder = folder;
  }

  /** Signals all; false when there was none. */
  async signal(name: NodeJS.Signals | 0): Promise<boolean> {
    let any = this.#group !== undefined && send(-this.#group, name);
    for (const pid of await markedProcesses(this.#folder)) any = send(pid, name) || any;
    return any;
  }

  async isGoneWithin(limitMs: number): Promise<boolean> {
    const begin = performance.now();
    while (await this.#isAlive()) {
      if (performance.now() - begin > limitMs) return false;
      await sleep(POLL_MS);
    }
    return true;
  }

  /** A dead process that its parent has not looked at yet keeps its group but runs no more. */
  async #isAlive(): Promise<boolean> {
    if ((await markedProcesses(this.#folder)).length > 0) return true;
    if (this.#group === undefined || !send(-this.#group, 0)) return false;
    return (await groupMembers(this.#group)) ?? true;
  }
}

function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

async function pids(): Promise<string[]> {
  if (process.platform !== 'linux') return [];
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}

/** Living processes whose environment carries the mark of this folder. */
async function markedProcesses(folder: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await pids()) {
    // Another user's process or one that just ended cannot be read, and is none of ours.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    const mark = Buffer.from(`${JOB_MARK}=${folder}`).toString('latin1');
    if (environment.split('\0').includes(mark)) found.push(Number(pid));
  }
  return found;
}

/** Whether a group has a member that is more than a zombie; undefined where the system does not tell. */
async function groupMembers(group: number): Promise<boolean | undefined> {
  if (process.platform !== 'linux') return undefined;
  for (const pid of await pids()) {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(processGroup) === group && state !== 'Z' && state !== 'X') return true;
  }
  return false;
}
