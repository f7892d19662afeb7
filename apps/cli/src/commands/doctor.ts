import type { Command } from 'commander';
import { EXIT } from '../failures.ts';
import { examine } from '../doctor/examine.ts';
import type { CommandTools } from './tools.ts';

/** `connecta doctor`: one sentence that says what is wrong, then the details. */
export function addDoctor(program: Command, { session, ended }: CommandTools): void {
  program
    .command('doctor')
    .description('say in one sentence what is wrong with the installation, then the details')
    .action(async () => {
      const findings = await examine(session);
      const worst = findings.find(({ state }) => state === 'bad') ?? findings.find(({ state }) => state === 'warn');
      const healthy =
        'Nothing is wrong: the installation answers, its parts are ready, every busy worker type is live.';
      session.print.data({ diagnosis: worst?.message ?? healthy, findings }, (style) => {
        const mark = { ok: style.good('✓'), warn: style.warn('!'), bad: style.bad('✗'), skipped: style.faint('–') };
        return [
          `${mark[worst?.state ?? 'ok']} ${style.strong(worst?.message ?? healthy)}`,
          ...(worst?.hint === undefined ? [] : [`  ${worst.hint}`]),
          '',
          ...findings.map(({ name, state, message, hint }) =>
            [
              `  ${mark[state]} ${name.padEnd(12)} ${message}`,
              ...(hint === undefined || hint === worst?.hint ? [] : [`    ${' '.repeat(12)} ${style.faint(hint)}`]),
            ].join('\n'),
          ),
        ].join('\n');
      });
      ended(worst?.state === 'bad' ? (worst.exitCode ?? EXIT.unavailable) : EXIT.ok);
    });
}
