import { afterAll, beforeAll, describe } from '@jest/globals';
import { testServices, type TestServices } from '@connecta/embedded';
import { queueSuite } from './queue.suite.ts';

describe('the queue on Postgres', () => {
  let services: TestServices;
  let url = '';
  beforeAll(async () => {
    services = await testServices();
    url = await services.queueDatabaseUrl();
  });
  afterAll(() => services.close());
  queueSuite(() => ({ kind: 'postgres', url, prefix: 'suite' }));
});
