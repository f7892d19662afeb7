import type { Fault } from '@connecta/contracts';
import { pointer } from './pointer.ts';

type Members = { [name: string]: unknown };

/** What of a workflow can be checked although its shape is wrong elsewhere. */
export interface SoundPart {
  /** The workflow without what is wrong, or with a stand-in where something must be. */
  value: Members;
  /** False of a fault of this value that may come of what was left out. */
  isReal: (fault: Fault) => boolean;
}

const KINDS = ['uses', 'workflow', 'wait'];
/** It takes every edge, so whoever needs it has no fault by it. */
const STAND_IN = { wait: { for: 'approval', timeout: '1h' } };

/**
 * Leaves out what the faults of the shape point at, so that all the rest is checked in the same breath; null when there
 * are no steps to check.
 */
export function soundPart(value: unknown, faults: readonly Fault[]): SoundPart | null {
  if (!isMembers(value) || !isMembers(value['steps'])) return null;
  const paths = faults.map(({ path }) => path);
  const isWrong = (at: string): boolean => paths.some((path) => isAtOrBelow(path, at));
  const unclear = new Set<string>();
  const withoutItems = new Set<string>();
  let lostOrder = false;
  const stepOf = (name: string, step: unknown): unknown => {
    const at = pointer('steps', name);
    if (!isWrong(at)) return step;
    const written = isMembers(step) ? step : {};
    const kept = Object.entries(written).filter(([member]) => !isWrong(`${at}${pointer(member)}`));
    const sound: Members = Object.fromEntries(kept);
    if (Array.isArray(written['needs']) && !paths.includes(`${at}/needs`)) {
      sound['needs'] = written['needs'].filter((_need, i) => !isWrong(`${at}/needs/${i}`));
    }
    if (isWrong(`${at}/needs`) || isWrong(`${at}/onError`) || !isMembers(step)) lostOrder = true;
    if (isWrong(`${at}/forEach`)) {
      sound['forEach'] = 'input';
      withoutItems.add(at);
    }
    if (KINDS.filter((kind) => kind in sound).length === 1) return sound;
    unclear.add(at);
    return { ...Object.fromEntries(Object.entries(sound).filter(([member]) => !KINDS.includes(member))), ...STAND_IN };
  };
  const whole = Object.entries(value).filter(([member]) => member === 'steps' || !isWrong(pointer(member)));
  const steps = Object.fromEntries(Object.entries(value['steps']).map(([name, step]) => [name, stepOf(name, step)]));
  const isReal = ({ path, code }: Fault): boolean => {
    if (paths.some((wrong) => isAtOrBelow(path, wrong))) return false;
    if (code === 'not_upstream') return !lostOrder;
    const isOf = (at: string): boolean => isAtOrBelow(path, at);
    if (code === undefined) return ![...unclear].some(isOf);
    return code !== 'unknown_name' || ![...withoutItems].some(isOf);
  };
  return { value: { ...Object.fromEntries(whole), steps }, isReal };
}

function isAtOrBelow(path: string, at: string): boolean {
  return path === at || path.startsWith(`${at}/`);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
