import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names a running process for good: host, pid, and (on Linux) boot and start time, since pids are given again. Usable
 * as a folder's name.
 */
export function processMark(pid: number = process.pid): string {
  const host = hostname().replace(/[^A-Za-z0-9.]/g, '_');
  return `${host}-${pid}-${startedAt(pid) ?? 'x'}`;
}

/** True when a mark of this host belongs to a process that no longer runs. Nothing is known of other hosts: false. */
export function isMarkOfDeadProcess(mark: string): boolean {
  const [host, pid] = mark.split('-');
  if (host === undefined || pid === undefined || !/^\d+$/.test(pid)) return false;
  if (host !== processMark().split('-')[0]) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
  }
  return processMark(Number(pid)) !== mark;
}

function startedAt(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    // The second field is the program's name in brackets and may itself hold spaces and brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    return ticks === undefined ? undefined : `${boot}.${ticks}`;
  } catch {
    return undefined;
  }
}
