import base from '../jest.base.mjs';

/** Whole systems of real processes, with the time that faults take. */
export default { ...base, testTimeout: 180_000 };
