export { createBeApi, type BeApiDeps } from './be-api.ts';
export { readBeApiConfig, type BeApiConfig } from './config.ts';
