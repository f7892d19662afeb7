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
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const startedAt = stdout?.trim();
  return status === 0 && startedAt ? { pid, startedAt } : undefined;
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
    const { stdout } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return stdout?.trim().split(/\s+/).filter(Boolean) ?? [];
  }
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
    for (const end = Date.now() + graceMs; Date.now() < end; await sleep(20)) if (!isRunning(process_)) return;
  }
  throw new Error(`process ${process_.pid} is left over from an earlier run and does not end`);
}
