import base from '../jest.base.mjs';

/** Whole systems of real processes: one test file at a time, with the time that faults take. */
export default { ...base, maxWorkers: 1, testTimeout: 180_000 };
