import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { configFields, processConfigFields } from './config-fields.ts';
import { ConfigError, readConfig } from './read-config.ts';

const schema = z.object({
  ...processConfigFields,
  PORT: configFields.port(4100),
  DATABASE_URL: configFields.postgresUrl(),
  LEASE_KEY: configFields.key(32),
  HOSTS: configFields.list(['127.0.0.1']),
  VERBOSE: configFields.flag(false),
});
const right = { DATABASE_URL: 'postgresql://u@h:1/d', LEASE_KEY: Buffer.alloc(32, 1).toString('base64url') };

describe('readConfig', () => {
  test('fills defaults in and reads texts as what they mean', () => {
    expect(readConfig(schema, { ...right, PORT: '0', HOSTS: 'a, b', VERBOSE: 'true', LOG_LEVEL: '' })).toMatchObject({
      PORT: 0,
      HOSTS: ['a', 'b'],
      VERBOSE: true,
      LOG_LEVEL: 'info',
      CONNECTA_PARENT_WATCH: 'none',
    });
    expect(readConfig(schema, right)).toMatchObject({ PORT: 4100, HOSTS: ['127.0.0.1'], VERBOSE: false });
  });

  test('tells every fault at once, by variable, without any value', () => {
    const wrong = { DATABASE_URL: 'mysql://secret', LEASE_KEY: 'c2hvcnQ', PORT: '70000', LOG_LEVEL: 'loud' };
    let error: unknown;
    try {
      readConfig(schema, wrong);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    const { faults, exitCode, message } = error as ConfigError;
    expect(exitCode).toBe(78);
    expect(faults.map((fault) => fault.variable).toSorted()).toEqual([
      'DATABASE_URL',
      'LEASE_KEY',
      'LOG_LEVEL',
      'PORT',
    ]);
    expect(message).toContain('LEASE_KEY: expected at least 32 bytes, base64url encoded');
    expect(message).not.toContain('secret');
  });

  test('tells the faults of rules beside those of the schema', () => {
    const rules = (env: Readonly<Record<string, string | undefined>>) =>
      env['PORT'] === '1' ? [{ variable: 'REDIS_URL', expected: 'is needed with PORT=1' }] : [];
    expect(readConfig(schema, right, rules)).toMatchObject({ PORT: 4100 });
    expect(() => readConfig(schema, { ...right, PORT: '1' }, rules)).toThrow('REDIS_URL: is needed with PORT=1');
    expect(() => readConfig(schema, { PORT: '1' }, rules)).toThrow(/LEASE_KEY: is not set[^]*REDIS_URL/);
  });

  test('says which variable is not set', () => {
    expect(() => readConfig(schema, { LEASE_KEY: right.LEASE_KEY })).toThrow(
      'DATABASE_URL: is not set; expected a URL',
    );
  });
});
