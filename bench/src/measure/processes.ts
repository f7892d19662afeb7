import { readdirSync, readFileSync } from 'node:fs';

/** Process ids by what they are; the processes below each are counted with it. */
export type ProcessGroups = Readonly<Record<string, readonly number[]>>;

interface KernelView {
  readonly parent: number;
  /** Own time and that of children that have ended, user and system. */
  readonly cpuTicks: number;
}

const ticksPerSecond = 100;

/** CPU seconds used so far by each group and everything below it. */
export function cpuSecondsOf(groups: ProcessGroups): Record<string, number> {
  const all = readProcesses();
  return mapGroups(groups, (roots) => {
    let ticks = 0;
    for (const pid of treesOf(all, roots)) ticks += all.get(pid)?.cpuTicks ?? 0;
    return ticks / ticksPerSecond;
  });
}

/**
 * Memory of each group in bytes, as the proportional set size: what several processes share (Postgres' buffers, the
 * pages of one program file) is divided between them, so that the sum is what the machine really holds.
 */
export function pssBytesOf(groups: ProcessGroups): Record<string, number> {
  const all = readProcesses();
  return mapGroups(groups, (roots) => {
    let bytes = 0;
    for (const pid of treesOf(all, roots)) bytes += pssOf(pid);
    return bytes;
  });
}

/** CPU seconds that the whole machine has been busy (neither idle nor waiting for a disk). */
export function machineBusySeconds(): number {
  const line = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softIrq + steal) / ticksPerSecond;
}

function mapGroups(groups: ProcessGroups, of: (roots: readonly number[]) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(groups).map(([name, roots]) => [name, of(roots)]));
}

function readProcesses(): Map<number, KernelView> {
  const all = new Map<number, KernelView>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const view = readProcess(pid);
    if (view) all.set(pid, view);
  }
  return all;
}

function readProcess(pid: number): KernelView | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name stands in brackets and may hold spaces and brackets itself.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
    return { parent: Number(fields[1]), cpuTicks: user + system + childUser + childSystem };
  } catch {
    return undefined; // it ended between the listing and the look
  }
}

function treesOf(all: ReadonlyMap<number, KernelView>, roots: readonly number[]): Set<number> {
  const found = new Set(roots.filter((pid) => all.has(pid)));
  for (let grown = true; grown;) {
    grown = false;
    for (const [pid, { parent }] of all) {
      if (found.has(pid) || !found.has(parent)) continue;
      found.add(pid);
      grown = true;
    }
  }
  return found;
}

function pssOf(pid: number): number {
  try {
    const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}
