export { createFeApi, type FeApiDeps } from './fe-api.ts';
