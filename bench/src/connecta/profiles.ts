import { setTimeout as sleep } from 'node:timers/promises';
import type { Gateway } from './gateway.ts';

/** How long a worker type may take to be known after its processes are up. */
const knownMs = 30_000;
const pollMs = 100;

/** A profile of the generic worker, as fe-api takes it. */
interface ProfileWrite {
  readonly name: string;
  readonly function: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The three tasks of the work. */
const chain: readonly ProfileWrite[] = [
  { name: 'bench-add-2', function: 'math.add', settings: { operand: 2 } },
  { name: 'bench-times-2', function: 'math.multiply', settings: { operand: 2 } },
  { name: 'bench-minus-1', function: 'math.add', settings: { operand: -1 } },
];

/** Makes the profiles of the work through fe-api, as an operator would, and returns the tasks that name them. */
export function makeChain(gateway: Gateway): Promise<readonly string[]> {
  return makeTasks(gateway, chain);
}

/** Makes profiles that are not there yet and returns their tasks. */
export async function makeTasks(gateway: Gateway, profiles: readonly ProfileWrite[]): Promise<readonly string[]> {
  await untilKnown(gateway);
  for (const body of profiles) {
    const found = await gateway.send<{ items: unknown[] }>('GET', `/v1/workers/generic/profiles?name=${body.name}`);
    if (found.items.length === 0) await gateway.send('POST', '/v1/workers/generic/profiles', { body });
  }
  return profiles.map(({ name }) => `generic/${name}`);
}

/** Its processes are up before they have told be-api of themselves: on a busy machine, seconds before. */
async function untilKnown(gateway: Gateway): Promise<void> {
  const endMs = performance.now() + knownMs;
  for (;;) {
    try {
      await gateway.send('GET', '/v1/workers/generic/profiles?limit=1');
      return;
    } catch (error) {
      if (performance.now() >= endMs) throw error;
      await sleep(pollMs);
    }
  }
}
