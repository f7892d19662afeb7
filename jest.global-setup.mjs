import { setupTestServices } from '@connecta/embedded';

/** Postgres, Redis and Blob Storage, once for all test files of the run that use them. */
export default (_globalConfig, projectConfig) => setupTestServices(projectConfig.rootDir);
