import base from '../jest.base.mjs';

/** Each test starts a worker and goes through everything with it; most of that is waiting, so twelve do so at once. */
export default { ...base, testTimeout: 240_000 };
