import { readFileSync } from 'node:fs';

/** How a process's resident memory went while something ran. */
export interface MemoryGrowth {
  readonly beforeMib: number;
  readonly peakMib: number;
  readonly growthMib: number;
}

const SAMPLE_MS = 25;

/** Samples the resident memory of a process (Linux: /proc) while `act` runs. */
export async function watchMemory(pid: number, act: () => Promise<unknown>): Promise<MemoryGrowth> {
  const beforeMib = residentMib(pid);
  let peakMib = beforeMib;
  const timer = setInterval(() => (peakMib = Math.max(peakMib, residentMib(pid))), SAMPLE_MS);
  try {
    await act();
  } finally {
    clearInterval(timer);
  }
  return { beforeMib, peakMib, growthMib: peakMib - beforeMib };
}

function residentMib(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  if (kib === undefined) throw new Error(`process ${pid} has no resident memory`);
  return Number(kib) / 1024;
}
