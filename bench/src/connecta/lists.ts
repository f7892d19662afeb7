import type { Contestant } from '../client/contestant.ts';
import { work } from '../work.ts';
import { ConnectaClient } from './client.ts';
import { Gateway } from './gateway.ts';
import { makeTasks } from './profiles.ts';

const connections = 32;

/** What takes an item through all of the work at once. */
const profile = {
  name: 'bench-work',
  function: 'math.add',
  settings: { operand: work.result - work.input },
} as const;

/** Makes the profile that items are worked on with, and returns its task. */
export async function makeItemTask(gateway: Gateway): Promise<string> {
  const [task = ''] = await makeTasks(gateway, [profile]);
  return task;
}

/** Connecta's client for orders of one step, which does the work for each item of a list. */
export async function openListClient(plan: {
  url: string;
  key: string;
  task: string;
  items: number;
  max?: number;
}): Promise<Contestant> {
  const { task, items, max } = plan;
  const gateway = new Gateway({ ...plan, connections });
  const order = {
    input: Array.from({ length: items }, () => work.input),
    steps: { each: { uses: task, forEach: { items: 'input', max } } },
    output: 'each',
  };
  return new ConnectaClient(gateway, order, async (result) => commonItem(await listOf(gateway, result), items));
}

/** A list that is too large to travel inline is JSON in a blob. */
async function listOf(gateway: Gateway, result: unknown): Promise<unknown> {
  const isBlob = typeof result === 'object' && result !== null && 'blobId' in result;
  return isBlob ? gateway.send('GET', `/v1/blobs/${String(result.blobId)}`) : result;
}

/** What all items of a whole list are; the list itself where they differ or some are missing. */
function commonItem(list: unknown, items: number): unknown {
  if (!Array.isArray(list) || list.length !== items) return list;
  return list.every((item) => item === list[0]) ? list[0] : list;
}
