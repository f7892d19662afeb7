import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('sample-process.ts', import.meta.url));

async function run(
  env: Record<string, string>,
  act: (child: ChildProcess) => void = () => undefined,
): Promise<{ code: number | null; output: string; errors: string }> {
  const child = spawn(process.execPath, [script], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  let output = '';
  let errors = '';
  let acted = false;
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (!acted && output.includes('"started"')) {
      acted = true;
      act(child);
    }
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output, errors };
}

describe('runProcess', () => {
  test('SIGTERM, even twice, closes what is open and ends with 0', async () => {
    const { code, output } = await run({ MODE: 'ok' }, (child) => {
      child.kill('SIGTERM');
      child.kill('SIGTERM');
    });
    expect(code).toBe(0);
    expect(output.match(/"closed"/g)).toHaveLength(1);
    expect(output).toContain('"aborted":true');
    expect(output).not.toContain('secret');
  });

  test('a closed standard input stops it when its parent is to be watched', async () => {
    const { code } = await run({ MODE: 'ok', CONNECTA_PARENT_WATCH: 'stdin' }, (child) => child.stdin?.end());
    expect(code).toBe(0);
  });

  test('a closer that hangs is given up after its bound, with 1', async () => {
    const { code, output } = await run({ MODE: 'stuck', STOP_TIMEOUT_MS: '100' }, (child) => child.kill('SIGINT'));
    expect(code).toBe(1);
    expect(output).toContain('did not stop in time');
  });

  test.each(['reject', 'fail'])('an unhandled error (%s) closes what is open and ends with 1', async (mode) => {
    const { code, output } = await run({ MODE: mode });
    expect(code).toBe(1);
    expect(output).toContain('"level":"fatal"');
    expect(output).toContain('"closed"');
  });

  test('a wrong configuration is told on standard error and ends with 78', async () => {
    const { code, errors } = await run({ LOG_LEVEL: 'loud' });
    expect(code).toBe(78);
    expect(errors).toContain('MODE');
    expect(errors).toContain('LOG_LEVEL');
  });
});
