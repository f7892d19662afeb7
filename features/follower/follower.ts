import { defineFunction, type WorkerType } from '@connecta/worker-kit';

const double = defineFunction({
  name: 'follower.double',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: { type: 'number' },
  outputSchema: { type: 'number' },
  run: ({ input }) => Promise.resolve({ value: (input as number) * 2 }),
});

const join = defineFunction({
  name: 'follower.join',
  version: '1.0.0',
  settingsSchema: { type: 'object', additionalProperties: false },
  inputSchema: { type: 'object' },
  outputSchema: { type: 'array' },
  run: ({ input }) => Promise.resolve({ value: Object.entries(input as object) }),
});

/** A type of its own whose tasks follow those of the type `probe`. */
export const follower: WorkerType = {
  type: 'follower',
  version: '1.0.0',
  owner: { team: 'followers', contact: 'followers@example.test' },
  functions: [double, join],
  samples: [
    { name: 'double', function: 'follower.double', settings: {} },
    { name: 'join', function: 'follower.join', settings: {} },
  ],
  tasks: [
    {
      ...{ name: 'double', upstream: [{ task: 'probe/slow', within: '1h' }] },
      ...{ cron: '0 3 1 1 *', timeZone: 'Europe/Berlin', overlap: 'queue', missed: 'all', maxCatchUp: 3 },
    },
    { name: 'late', profile: 'double', upstream: [{ task: 'probe/long', within: '1h' }] },
    { name: 'join', upstream: [{ task: 'probe/slow', within: '1h' }, { task: 'probe/quick' }] },
  ],
};
