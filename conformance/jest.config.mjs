import base from '../jest.base.mjs';

/** Each test starts a worker and goes through everything with it; most of that is waiting, so many do so at once. */
export default { ...base, maxWorkers: 1, maxConcurrency: 12, testTimeout: 240_000 };
