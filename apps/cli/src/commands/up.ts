import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import { repository } from '../connection/local-system.ts';
import { EXIT } from '../failures.ts';
import type { CommandTools } from './tools.ts';

/** `connecta up`: the whole system on this machine, as `npm start` does it. */
export function addUp(program: Command, { session, ended }: CommandTools): void {
  program
    .command('up')
    .description('start the whole system on this machine and stay until Ctrl-C')
    .option('--once', 'end after the sample orders; exit code 0 only if each ended as it must')
    .action(async ({ once: onlyOnce }: { once?: boolean }) => {
      const script = join(repository, 'scripts/start.mjs');
      // The parent of the system is this process: when it is killed, the channel's end tells the system so.
      const child = spawn(process.execPath, [script, ...(onlyOnce ? ['--once'] : [])], {
        cwd: repository,
        env: { ...session.around.env },
        stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      });
      const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
      // Ctrl-C reaches the child from the terminal by itself; a SIGINT by `kill` does not.
      session.interrupted.addEventListener('abort', () => pass('SIGINT'), { once: true });
      for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, pass);
      const [code] = (await once(child, 'exit')) as [number | null];
      ended(code ?? EXIT.interrupted);
    });
}
