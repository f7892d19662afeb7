import { Argument, type Command } from 'commander';
import { candidates } from '../completion/candidates.ts';
import { COMPLETION_SCRIPTS } from '../completion/scripts.ts';
import type { CommandTools } from './tools.ts';

/** `connecta completion`, and `connecta complete`, which its scripts call. */
export function addCompletion(program: Command, { session }: CommandTools): void {
  program
    .command('completion')
    .description('a script that completes commands, options, tasks, workflows, schedules and orders')
    .addArgument(new Argument('<shell>').choices(Object.keys(COMPLETION_SCRIPTS)))
    .action((shell: keyof typeof COMPLETION_SCRIPTS) => {
      session.around.stdout.write(COMPLETION_SCRIPTS[shell]);
    });
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action(async (words: string[]) => {
      const found = await candidates(program, session, words);
      if (found.length > 0) session.around.stdout.write(`${found.join('\n')}\n`);
    });
}
