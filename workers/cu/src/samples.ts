import type { SampleProfile } from '@connecta/worker-kit';
import type { CuRules } from './functions.ts';

/**
 * The setups that exist from the first start on: those whose program or share the operator has configured, so that none
 * is there that cannot work.
 */
export function cuSamples(rules: CuRules): SampleProfile[] {
  const samples: SampleProfile[] = [{ name: 'fetch', function: 'cu.fetch', settings: {} }];
  if (rules.commands.has('gzip')) {
    const files = { inputName: 'input', outputName: 'input.gz', outputMediaType: 'application/gzip' };
    const settings = { command: 'gzip', args: ['-n', '-k', '{input}'], ...files };
    samples.push({ name: 'gzip', function: 'cu.exec', settings });
  }
  if (rules.commands.has('upper-filter')) {
    const settings = { command: 'upper-filter', outputMediaType: 'text/plain', timeLimitMs: 60_000 };
    samples.push({ name: 'upper-filter', function: 'cu.exec', settings });
  }
  if (rules.shares['slow-folder']?.uses.includes('exchange')) {
    const folders = { share: 'slow-folder', dropFolder: 'in', answerFolder: 'out' };
    const names = { doneName: '{id}.done', errorName: '{id}.err', errorKind: 'retryable' };
    const settings = { ...folders, ...names, outputMediaType: 'text/plain', timeLimitMs: 120_000 };
    samples.push({ name: 'slow-folder', function: 'cu.exchange', settings });
  }
  return samples;
}
