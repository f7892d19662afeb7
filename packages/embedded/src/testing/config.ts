import type { GivenEnvironment } from '../start-embedded.ts';

/** How a test run hands its services to the processes that run the test files. */
export const sharedServicesVariable = 'CONNECTA_TEST_SERVICES';

/** What the environment says about test services. */
export interface TestConfig {
  readonly given: GivenEnvironment;
  /** In CI a missing Redis is a failure; elsewhere the tests that need it are skipped. */
  readonly redisRequired: boolean;
  readonly shared: SharedServices | undefined;
}

/** Services that run already, as one process tells another. */
export interface SharedServices {
  readonly databaseUrl: string;
  readonly redisUrl?: string;
  readonly blobConnectionString: string;
}

/** Reads the test run's environment. */
export function readTestConfig(env: NodeJS.ProcessEnv = process.env): TestConfig {
  const shared = env[sharedServicesVariable];
  return {
    // A database or queue that the environment names is somebody's own: tests only ever use servers of their own.
    given: { PATH: env['PATH'] },
    redisRequired: env['CI'] === 'true' || env['CI'] === '1',
    shared: shared ? (JSON.parse(shared) as SharedServices) : undefined,
  };
}

/** Tells the processes that this one will start where its services are. */
export function shareServices(services: SharedServices): void {
  process.env[sharedServicesVariable] = JSON.stringify(services);
}
