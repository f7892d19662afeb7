import { describe, expect, test } from '@jest/globals';
import { AllowedHosts } from './allowed-hosts.ts';

const hosts = new AllowedHosts(['127.0.0.1', 'Localhost', 'workers.example:8443', '*.cluster.local', '[::1]']);

describe('AllowedHosts', () => {
  test.each([
    'http://127.0.0.1:4711',
    'http://LOCALHOST/base',
    'https://workers.example:8443',
    'http://generic.cluster.local:80',
    'http://[::1]:4711',
    // Other spellings of an allowed address are that address.
    'http://2130706433/',
  ])('%s is allowed', (url) => {
    expect(hosts.faultOf(url)).toBeUndefined();
  });

  test.each([
    ['http://169.254.169.254/latest', /169\.254\.169\.254/],
    ['http://workers.example', /allow-list/],
    ['http://evilcluster.local', /allow-list/],
    ['http://127.0.0.1.evil.example', /allow-list/],
    ['http://localhost@evil.example', /credentials/],
    ['http://user:pass@localhost', /credentials/],
    ['http://localhost/?to=x', /query/],
    ['file:///etc/passwd', /http/],
    ['no url', /not a URL/],
  ])('%s is not', (url, fault) => {
    expect(hosts.faultOf(url)).toMatch(fault);
  });
});
