import { ENDED_MS, must, type Scenario } from './scenario.ts';

/** F6: a function that runs on and on says nothing; its step's time ends it, and it is tried elsewhere. */
export const hanging: Scenario = {
  id: 'F6',
  title: 'a worker hangs, its heartbeats go on',
  async run({ system: { api } }) {
    const stuck = { uses: 'probe/stuck', timeouts: { complete: '2s' }, retry: { max: 2, delay: '100ms' } };
    const id = await api.place({ client: 'default', input: 1, steps: { stuck } });
    const well = await api.place({ client: 'default', input: 1, tasks: ['probe/quick'] });
    must((await api.ended(well, ENDED_MS)).state === 'completed', 'another order did not complete');
    const { state, jobs } = await api.ended(id, ENDED_MS);
    must(state === 'failed', `the order that hangs is ${state}`);
    const { error, attempt } = jobs['stuck'] ?? {};
    must(error?.code === 'complete_timeout', `it ended with ${error?.code}`);
    must(attempt === 3, `it was tried ${attempt} times`);
    return `ended with ${error.code} after ${attempt} attempts`;
  },
};
