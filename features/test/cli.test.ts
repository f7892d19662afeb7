import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { brittleLine } from '../src/brittle-line.ts';
import { CommandLine, connectaFile } from '../src/command-line.ts';
import { hasPrograms } from '../src/shell-blocks.ts';
import { TestSystem, until } from '../src/system.ts';

describe('the command line', () => {
  let system: TestSystem;
  let cli: CommandLine;

  beforeAll(async () => {
    system = await TestSystem.start({ workerTypes: ['generic', 'probe'] });
    cli = await CommandLine.open(system.api);
  });
  afterAll(async () => {
    await cli.close();
    await system.stop();
  });

  test('places an order and follows it to its end; what a script reads is data alone', async () => {
    // Given a system, when a script runs two tasks and waits
    const { code, out, err } = await cli.run(
      'run',
      'generic/add-2,generic/times-2',
      '--input',
      '5',
      '--watch',
      '-o',
      'json',
    );
    // Then stdout is the order, and what was told on the way went to stderr
    expect({ code, order: JSON.parse(out) as unknown }).toMatchObject({
      code: 0,
      order: { state: 'completed', result: 14 },
    });
    expect(err).toContain('add-2 completed');
    // And the newest order of the caller is that one, also by the beginning of its id
    const { id } = JSON.parse(out) as { id: string };
    expect(await cli.json('orders', 'get', '@latest')).toMatchObject({ id });
    expect(await cli.json('orders', 'get', id.slice(0, 30))).toMatchObject({ id });
  });

  test('ends with 1 when the order fails, and shows the step that did', async () => {
    const { code, out } = await cli.run('run', 'generic/add-2', '--input', '"five"', '--watch');
    expect(code).toBe(1);
    expect(out).toMatch(/add-2 +generic\/add-2 +error .*invalid_input/);
  });

  test('ends by the kind of the failure, each told in words and without a stack', async () => {
    const cases: [string[], number, RegExp][] = [
      [['orders', 'get'], 2, /missing required argument/],
      [['orders', 'get', 'zzz'], 2, /is no order id/],
      [['orders', 'list', '--url', 'http://127.0.0.1:9', '--key', 'ck_x'], 3, /cannot be reached/],
      [['orders', 'list', '--key', 'ck_wrong-wrong-wrong-wrong'], 4, /No valid credential/],
      [['orders', 'get', '01a1fd16-f1df-7f7f-8587-6f50420b136a'], 5, /not_found/],
      [['run', 'generic/no-such', '--input', '1'], 7, /there is no task 'generic\/no-such'/],
    ];
    for (const [args, code, words] of cases) {
      const ended = await cli.run(...args);
      expect({ args, code: ended.code, out: ended.out }).toEqual({ args, code, out: '' });
      expect(ended.err).toMatch(words);
      expect(ended.err).not.toMatch(/\n {4}at /);
    }
    // And an order that has ended cannot be cancelled: a conflict
    const { id } = await cli.json<{ id: string }>('run', 'generic/add-2', '-i', '1', '--watch');
    expect((await cli.run('orders', 'cancel', id)).code).toBe(6);
  });

  test('runs an order for each line of a CSV file, through a restart of the gateway, and never twice', async () => {
    // Given a file with a text where numbers are needed, and a file to send that is not there
    const numbers = Array.from({ length: 40 }, (_, n) => String(n));
    await cli.write('numbers.csv', ['input', ...numbers, 'text', '@missing.bin', '@note.txt'].join('\n'));
    await cli.write('note.txt', 'a note');
    const command = ['run', 'probe/steady', '--from-csv', 'numbers.csv', '--at-once', '15', '-o', 'json'];
    // When the gateway is killed while the orders run
    const child = cli.begin(command);
    const ended = cli.ended(child);
    await until(async () => (await system.store.prisma.order.count({ where: { state: 'completed' } })) > 5);
    system.process('fe-api').kill('SIGKILL');
    // Then each line is told with how it came out
    const { code, out } = await ended;
    const lines = JSON.parse(out) as { line: number; state: string; orderId?: string; result?: number }[];
    expect(code).toBe(1);
    expect(lines.slice(0, 40).map(({ result }) => result)).toEqual(numbers.map((n) => Number(n) + 1));
    expect(lines.slice(40)).toMatchObject([
      { line: 42, state: 'failed' },
      { line: 43, state: 'refused', error: { message: expect.stringContaining('there is no such file') } },
      { line: 44, state: 'failed', orderId: expect.any(String) },
    ]);
    // And the same command finds the same orders, while --anew places others
    const placed = await system.store.prisma.order.count();
    const again = await cli.run(...command);
    expect(JSON.parse(again.out)).toEqual(lines);
    expect(await system.store.prisma.order.count()).toBe(placed);
    const told = await cli.run(...command.slice(0, 4));
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/LINE +ORDER[^]*\n2 +\S+ +completed [^]*\n43 lines: 40 completed, 2 failed, 1 refused\n$/);
    await cli.write('one.csv', 'input\n1\n');
    const ids = [];
    for (const more of [[], [], ['--anew']]) {
      const [line] = await cli.json<{ orderId: string }[]>('run', 'generic/add-2', '--from-csv', 'one.csv', ...more);
      ids.push(line?.orderId);
    }
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('Ctrl-C while watching leaves the order running and says how to go on', async () => {
    const before = await cli.json<{ function: string }>('profiles', 'get', 'probe/long');
    await cli.write('long.yaml', `task: probe/long\nfunction: ${before.function}\nsettings: { ms: 4000, add: 1 }\n`);
    await cli.json('profiles', 'apply', '-f', 'long.yaml');
    const child = cli.begin(['run', 'probe/long', '-i', '1', '--watch']);
    const ended = cli.ended(child);
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => (String(chunk).includes('started') ? resolve() : undefined));
    });
    child.kill('SIGINT');
    const { code, err } = await ended;
    expect(code).toBe(130);
    const [, id = ''] = /connecta orders watch (\S+)/.exec(err) ?? [];
    expect((await system.api.order(id)).state).toBe('active');
    // When it is watched again, then it completes
    expect(await cli.json('orders', 'watch', id)).toMatchObject({ state: 'completed', result: 2 });
  });

  test('an upload goes on by itself where a connection was cut', async () => {
    // Given a file of 40 MB and a network that breaks each connection after some megabytes
    const file = await cli.write('big.bin', Buffer.alloc(40_000_000, 'connecta'));
    const line = await brittleLine(new URL(system.api.url), { cutAfter: 9_000_000 });
    const { code, out, err } = await cli.runWith(
      { CONNECTA_URL: line.url },
      'run',
      'generic/bright',
      '--file',
      file,
      '-o',
      'json',
    );
    line.close();
    // Then the order has the whole file all the same
    expect({ code, err }).toMatchObject({ code: 0, err: expect.stringContaining('trying again') });
    const { id } = JSON.parse(out) as { id: string };
    expect((await system.api.order(id)).input).toMatchObject({ size: 40_000_000 });
    expect(line.cuts()).toBeGreaterThan(1);
  });

  test('an upload that was interrupted is gone on with by the same command', async () => {
    const file = await cli.write('other.bin', Buffer.alloc(60_000_000, 'other'));
    const slow = await brittleLine(new URL(system.api.url), { stopAfter: 25_000_000 });
    const first = cli.begin(['run', 'generic/bright', '--file', file], { CONNECTA_URL: slow.url });
    const interrupted = cli.ended(first);
    await slow.stuck;
    first.kill('SIGINT');
    expect((await interrupted).code).toBe(130);
    slow.flow();
    const again = await cli.runWith({ CONNECTA_URL: slow.url }, 'run', 'generic/bright', '--file', file);
    slow.close();
    expect(again).toMatchObject({ code: 0, err: expect.stringContaining('going on at') });
  });

  test('the doctor says in one sentence what is wrong', async () => {
    const diagnosis = async (more: Record<string, string> = {}): Promise<[number | null, string]> => {
      const { code, out } = await cli.runWith(more, 'doctor', '-o', 'json');
      return [code, (JSON.parse(out) as { diagnosis: string }).diagnosis];
    };
    expect(await diagnosis()).toEqual([0, expect.stringContaining('Nothing is wrong')]);
    expect(await diagnosis({ CONNECTA_URL: 'http://127.0.0.1:9' })).toEqual([
      3,
      expect.stringContaining('cannot be reached'),
    ]);
    expect(await diagnosis({ CONNECTA_KEY: 'ck_nobody-knows-this-one' })).toEqual([
      4,
      expect.stringContaining('is not known'),
    ]);
    // Given a port on which something else answers
    const stranger = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    stranger.listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    const { port } = stranger.address() as { port: number };
    expect(await diagnosis({ CONNECTA_URL: `http://127.0.0.1:${port}` })).toEqual([
      3,
      expect.stringContaining('not Connecta'),
    ]);
    stranger.close();
    // Given jobs for a worker type of which no instance is live
    await Promise.all(['generic-runner'].map((name) => system.process(name).halt()));
    const { id } = await cli.json<{ id: string }>('run', 'generic/add-2', '-i', '1');
    const found = await eventually(diagnosis, ([code]) => code === 8);
    expect(found[1]).toContain("No live worker of type 'generic'");
    await system.process('generic-runner').restart();
    expect((await system.api.ended(id)).state).toBe('completed');
  });

  const { PATH = '', CI } = process.env;
  const onTerminal = CI === 'true' || hasPrograms(PATH, 'script') ? test : test.skip;

  onTerminal('on a terminal an order is lines that change and fit; NO_COLOR takes the colours away', async () => {
    const run = async (more: Record<string, string>): Promise<string> => {
      const line = `stty cols 70 rows 20; ${process.execPath} ${connectaFile} run probe/long,generic/add-2 -i 1 -w`;
      const env = cli.environment({ TERM: 'xterm', ...more });
      const child = spawn('script', ['-qec', line, '/dev/null'], { cwd: cli.folder, env, stdio: 'pipe' });
      const { code, out } = await cli.ended(child);
      expect(code).toBe(0);
      return out;
    };
    const colourful = await run({});
    // The cursor is hidden, goes up over lines drawn before, and comes back.
    for (const part of ['[?25l', 'A\u001b[J', '[32m', '[?25h', '░░░░']) expect(colourful).toContain(part);
    const plain = await run({ NO_COLOR: '1' });
    expect(plain).not.toContain('[32m');
    const lines = stripVTControlCharacters(plain).split(/\r?\n/);
    expect(Math.max(...lines.map((text) => text.length))).toBeLessThanOrEqual(70);
  });
});

/** Asks until the answer is as wanted; bounded. */
async function eventually<Answer>(ask: () => Promise<Answer>, wanted: (answer: Answer) => boolean): Promise<Answer> {
  const end = Date.now() + 30_000;
  for (;;) {
    const answer = await ask();
    if (wanted(answer) || Date.now() > end) return answer;
  }
}
