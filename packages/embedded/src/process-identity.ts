import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A process as the kernel knows it. A pid alone is not enough: after a crash or a reboot it may belong to another
 * program, and a signal meant for a left-over database would end somebody's editor.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Boot id and start time in clock ticks on Linux, the start time in words elsewhere. */
  readonly startedAt: string;
}

/** The identity of a running process, or undefined when there is none (a zombie counts as none). */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (process.platform === 'linux') return identifyByProc(pid);
  const startedAt = askPs(pid, 'lstart=');
  return startedAt ? { pid, startedAt } : undefined;
}

function identifyByProc(pid: number): ProcessIdentity | undefined {
  try {
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || ticks === undefined) return undefined;
    return { pid, startedAt: `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${ticks}` };
  } catch {
    return undefined;
  }
}

/** True while this very process (not a later one with the same pid) runs. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  return identify(pid)?.startedAt === startedAt;
}

/** The words a process was started with; empty where the system does not tell. */
export function commandLine(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  } catch {
    return askPs(pid, 'command=').split(/\s+/).filter(Boolean);
  }
}

async function isGone(process_: ProcessIdentity, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (isRunning(process_)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

function askPs(pid: number, field: string): string {
  const { error, stdout } = spawnSync('ps', ['-o', field, '-p', String(pid)], { encoding: 'utf8' });
  return error ? '' : stdout.trim();
}

/** Ends a process that is not our child: each signal in turn, SIGKILL last. Resolves when it is gone. */
export async function endProcess(
  process_: ProcessIdentity,
  { signals, graceMs }: { signals: readonly NodeJS.Signals[]; graceMs: number },
): Promise<void> {
  for (const signal of [...signals, 'SIGKILL' as const]) {
    if (!isRunning(process_)) return;
    try {
      process.kill(process_.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return;
      throw new Error(`process ${process_.pid} is left over from an earlier run and cannot be ended`, { cause: error });
    }
    if (await isGone(process_, graceMs)) return;
  }
  throw new Error(`process ${process_.pid} is left over from an earlier run and does not end`);
}
