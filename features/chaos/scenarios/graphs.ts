import { setTimeout as sleep } from 'node:timers/promises';
import type { TraceOrder } from '../../src/api-client.ts';
import type { ChaosWorld } from '../world.ts';
import { graphOf, modelOf, type Graph } from './graph-model.ts';
import { FAILED_SEEDS } from './graph-seeds.ts';
import { ENDED_MS, must, type Scenario } from './scenario.ts';

const BATCH = 250;
const OPEN = ['pending', 'invoked', 'queued', 'started', 'waiting'];

type Api = ChaosWorld['system']['api'];

/** F34: random graphs, whose steps fail, are tried again, whose orders are retried and cancelled, against a model. */
export const graphs: Scenario = {
  id: 'F34',
  title: 'random graphs with failures, retries and cancels against a model',
  async run({ system: { api }, extent }, random) {
    const more = Math.max(0, extent.graphs - FAILED_SEEDS.length);
    const seeds = [...FAILED_SEEDS, ...Array.from({ length: more }, () => random.below(2 ** 31))];
    const ends: string[] = [];
    for (let at = 0; at < seeds.length; at += BATCH) {
      const batch = seeds.slice(at, at + BATCH);
      const all = batch.map(graphOf);
      const ids = await api.placeMany(
        all.map(({ steps }) => ({ client: 'default', input: 1, steps: Object.fromEntries(steps) })),
      );
      const done = ids.map((id, i) =>
        play(api, id, all[i] as Graph).catch((cause: unknown) => {
          throw new Error(`graph seed ${batch[i]}, order ${id}: ${String(cause)}`, { cause });
        }),
      );
      ends.push(...(await Promise.all(done)));
    }
    const count = (end: string): number => ends.filter((each) => each === end).length;
    return `${ends.length} graphs: ${count('completed')} completed, ${count('failed')} failed, ${count('cancelled')} cancelled`;
  },
};

/** Does to an order what its graph has in store for it, and compares what it came to with the model. */
async function play(api: Api, id: string, graph: Graph): Promise<string> {
  const model = modelOf(graph);
  if (graph.cancelAfterMs !== undefined) {
    await sleep(graph.cancelAfterMs);
    const { status } = await api.send('POST', `/v1/orders/${id}/cancel`);
    must(status < 300 || status === 409, `a cancel was answered ${status}`);
    if (status < 300) return mustBeCancelled(await api.ended(id, ENDED_MS), graph);
  }
  let order = await api.ended(id, ENDED_MS);
  if (order.state === 'failed' && graph.isRetried) {
    const { status } = await api.send('POST', `/v1/orders/${id}/retry`);
    must(status < 300, `a retry was answered ${status}`);
    order = await api.ended(id, ENDED_MS);
  }
  must(order.state === model.order, `it is ${order.state} instead of ${model.order}`);
  const seen = Object.entries(order.jobs).map(([name, { state }]) => `${name} ${state}`);
  const wanted = [...model.steps].map(([name, state]) => `${name} ${state}`);
  must(seen.sort().join() === wanted.sort().join(), `${seen.join()} instead of ${wanted.join()}`);
  return order.state;
}

/** Of a cancelled order nothing is open any more, and nothing ended otherwise than it would have. */
function mustBeCancelled({ state, jobs }: TraceOrder, graph: Graph): string {
  must(state === 'cancelled', `it was cancelled and is ${state}`);
  const model = modelOf({ ...graph, isRetried: false });
  for (const [name, job] of Object.entries(jobs)) {
    // A step that had not begun has no job; it is shown as pending for good.
    must(job.attempt === undefined || !OPEN.includes(job.state), `step ${name} of a cancelled order is ${job.state}`);
    const isOver = job.state === 'completed' || job.state === 'error';
    must(!isOver || model.steps.get(name) === job.state, `step ${name} of a cancelled order is ${job.state}`);
  }
  return state;
}
