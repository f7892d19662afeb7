import { request } from 'undici';

/** The three tasks of the work as profiles of the generic worker. */
const profiles = [
  { name: 'bench-add-2', function: 'math.add', settings: { value: 2 } },
  { name: 'bench-times-2', function: 'math.multiply', settings: { value: 2 } },
  { name: 'bench-minus-1', function: 'math.add', settings: { value: -1 } },
] as const;

const conflict = 409;

/** Makes the profiles through fe-api, as an operator would, and returns the tasks that name them. */
export async function makeTasks({ url, key }: { url: string; key: string }): Promise<readonly string[]> {
  for (const profile of profiles) {
    const { statusCode, body } = await request(`${url}/v1/workers/generic/profiles`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(profile),
    });
    const answer = await body.text();
    if (statusCode !== 201 && statusCode !== conflict) throw new Error(`${profile.name}: ${statusCode} ${answer}`);
  }
  return profiles.map(({ name }) => `generic/${name}`);
}
