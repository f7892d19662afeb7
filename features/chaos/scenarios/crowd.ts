import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@connecta/contracts';
import { until } from '../../src/system.ts';
import type { ChaosWorld } from '../world.ts';
import { ENDED_MS, must, type Scenario } from './scenario.ts';

const CALLS = 200;

type Api = ChaosWorld['system']['api'];

/** How many of many calls did it. @throws Error when another was answered otherwise than 409 */
function winners(statuses: readonly number[], what: string): number {
  const odd = statuses.find((status) => status >= 300 && status !== 409);
  must(odd === undefined, `a ${what} was answered ${odd}`);
  return statuses.filter((status) => status < 300).length;
}

/** Many at once ask for this of an order; the statuses. */
async function manyAsk(api: Api, id: string, asks: readonly string[]): Promise<number[]> {
  const answers = await Promise.all(asks.map((what) => api.send('POST', `/v1/orders/${id}/${what}`)));
  return answers.map(({ status }) => status);
}

/** Cancels while the order runs: one of them did it, or it had completed. */
async function manyCancel(api: Api, round: number): Promise<number> {
  const id = await api.place({ client: 'default', input: 1, tasks: ['probe/slow', 'probe/slow'] });
  await sleep((round % 20) * 10);
  const won = winners(await manyAsk(api, id, new Array<string>(CALLS).fill('cancel')), 'cancel');
  const { state } = await api.ended(id, ENDED_MS);
  must(won === (state === 'cancelled' ? 1 : 0), `the order is ${state} after ${won} cancels`);
  return won;
}

/** Retries and cancels of a failed order: one retry took it up, and one cancel at most ended it then. */
async function manyRetry(api: Api): Promise<void> {
  const { id, state } = await api.run({ client: 'default', input: 1, tasks: ['probe/relent-slowly'] }, ENDED_MS);
  must(state === 'failed', `the order that is to fail is ${state}`);
  const asks = Array.from({ length: CALLS }, (_, i) => (i % 2 === 0 ? 'retry' : 'cancel'));
  const statuses = await manyAsk(api, id, asks);
  const wonBy = (what: string): number =>
    winners(
      statuses.filter((_, i) => asks[i] === what),
      what,
    );
  const [retried, cancelled] = [wonBy('retry'), wonBy('cancel')];
  must(retried === 1, `${retried} retries of one failed order were the one`);
  const after = (await api.ended(id, ENDED_MS)).state;
  must(cancelled === (after === 'cancelled' ? 1 : 0), `it is ${after} after ${cancelled} cancels`);
}

/** A worker of a type of its own, whose every job is claimed here. */
class Claimant {
  readonly #url: string;
  readonly #key: string;
  readonly #workerId: string;

  private constructor(url: string, key: string, workerId: string) {
    this.#url = url;
    this.#key = key;
    this.#workerId = workerId;
  }

  static async register(world: ChaosWorld): Promise<Claimant> {
    const [url, key] = [world.system.running.beUrl, await world.serviceKey('crowd')];
    const schemas = { settingsSchema: {}, inputSchema: {}, outputSchema: {} };
    const { body } = await post<{ workerId: string }>(url, '/v1/workers', {
      key,
      body: {
        ...{ type: 'crowd', role: 'both', instance: 'crowd-1', version: '1', language: 'ts', slots: 10 },
        ...{ owner: { team: 'features', contact: 'features@example.test' }, transport: 'http', protocolVersion: 1 },
        ...{ apiUrl: url, functions: [{ name: 'crowd.any', version: '1.0.0', ...schemas }] },
        profiles: [{ id: newId(), name: 'any', function: 'crowd.any', revision: 1 }],
      },
    });
    return new Claimant(url, key, body.workerId);
  }

  async claim(): Promise<{ jobId: string; lease: string }> {
    const claim = (): Promise<{ body: { jobs?: { jobId: string; lease: string }[] } }> =>
      this.#post('/v1/jobs/claim', { workerId: this.#workerId, slots: 1, waitMs: 2000, requestId: newId() });
    return until(async () => (await claim()).body.jobs?.[0]);
  }

  async complete({ jobId, lease }: { jobId: string; lease: string }, value: number): Promise<number> {
    return (await this.#post(`/v1/jobs/${jobId}/complete`, { value }, lease)).status;
  }

  #post<Body>(path: string, body: unknown, lease?: string): Promise<{ status: number; body: Body }> {
    return post(this.#url, path, { key: this.#key, body, lease });
  }
}

/** Ends over HTTP and cancels of one running order: one of all was the one, and its word counts. */
async function manyComplete(api: Api, claimant: Claimant): Promise<void> {
  const id = await api.place({ client: 'default', input: 1, tasks: ['crowd/any'] });
  const job = await claimant.claim();
  const statuses = await Promise.all(
    Array.from({ length: CALLS }, async (_, i) =>
      i % 4 === 3 ? (await api.send('POST', `/v1/orders/${id}/cancel`)).status : claimant.complete(job, i),
    ),
  );
  must(winners(statuses, 'completion') === 1, `${winners(statuses, 'completion')} ends of one job were the one`);
  const winner = statuses.findIndex((status) => status < 300);
  const { state, result } = await api.ended(id, ENDED_MS);
  const wanted = winner % 4 === 3 ? state === 'cancelled' : state === 'completed' && result === winner;
  must(wanted, `call ${winner} was the one, and the order is ${state} with ${JSON.stringify(result)}`);
}

/** F24: of many that complete, cancel or retry one order at once, exactly one is the one who did it. */
export const crowd: Scenario = {
  id: 'F24',
  title: 'completions, cancels and retries of one order at once',
  async run(world) {
    const { api } = world.system;
    const claimant = await Claimant.register(world);
    let cancelled = 0;
    for (let round = 0; round < world.extent.crowds; round++) {
      cancelled += await manyCancel(api, round);
      await manyRetry(api);
      await manyComplete(api, claimant);
    }
    return `${world.extent.crowds} rounds of three times ${CALLS} calls, one winner each (${cancelled} first orders cancelled in time)`;
  },
};

async function post<Body>(
  url: string,
  path: string,
  { key, body, lease }: { key: string; body: unknown; lease?: string | undefined },
): Promise<{ status: number; body: Body }> {
  const headers = {
    ...{ authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    ...(lease === undefined ? {} : { 'connecta-lease': lease }),
  };
  const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Body };
}
