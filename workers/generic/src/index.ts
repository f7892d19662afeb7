export { genericFunctions } from './functions.ts';
export { samples } from './samples.ts';
export { genericWorkerType } from './worker-type.ts';
