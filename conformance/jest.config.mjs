import base from '../jest.base.mjs';

/**
 * Each test starts a worker and goes through everything with it. Most of that is waiting, so six do so at once; with twelve,
 * a slow machine keeps a worker from its next word for longer than it may be silent.
 */
export default { ...base, testTimeout: 240_000 };
