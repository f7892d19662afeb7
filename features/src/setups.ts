import type { ApiClient } from './api-client.ts';

/** A setup as it reads back. */
export interface Setup {
  id: string;
  name: string;
  function: string;
  revision: number;
  settings: Record<string, unknown>;
}

/** The setup of a task. */
export async function setupOf(api: ApiClient, task: string): Promise<Setup> {
  const [type, name] = task.split('/');
  const { body } = await api.send<{ items: Setup[] }>('GET', `/v1/workers/${type}/profiles?name=${name}`);
  const [found] = body.items;
  if (!found) throw new Error(`no setup ${task}`);
  return found;
}

/** Gives a setup other settings. */
export async function changeSetup(api: ApiClient, task: string, settings: Record<string, unknown>): Promise<void> {
  const { id, name, function: fn, revision } = await setupOf(api, task);
  const [type] = task.split('/');
  const { status, body } = await api.send('PUT', `/v1/workers/${type}/profiles/${id}`, {
    body: { name, function: fn, settings },
    headers: { 'if-match': `"${revision}"` },
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
}
