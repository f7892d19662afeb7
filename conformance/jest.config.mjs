import base from '../jest.base.mjs';

/** Each test starts a worker and goes through everything with it. */
export default { ...base, maxWorkers: 1, testTimeout: 240_000 };
