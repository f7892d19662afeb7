import type { OrderRequest } from '../api/shapes.ts';
import { CliError, EXIT, type ExitCode } from '../failures.ts';
import { paintState } from '../output/style.ts';
import { table } from '../output/table.ts';
import { shortValue, spanText } from '../output/value-text.ts';
import type { Session } from '../session.ts';
import { CsvBatch } from './csv-batch.ts';
import { LineKeys, type LineOutcome } from './csv-lines.ts';
import { csvOrder, parseCsv } from './csv.ts';
import { readAll, readText } from './order-input.ts';

/**
 * Places an order for each line of a CSV file, at most `atOnce` of them open at a time, waits for all, and prints how each
 * ended. Ctrl-C leaves the placed ones running and places no more. Each order's Idempotency-Key is made of the file, so the
 * same command goes on where an earlier one ended; `anew` places all orders once more.
 */
export async function runCsv(
  session: Session,
  { base, csv, atOnce, anew }: { base: OrderRequest; csv: string; atOnce: number; anew: boolean },
): Promise<ExitCode> {
  const text = csv === '-' ? await readAll(session.around.stdin) : await readText(csv, session.around.cwd);
  const { columns, rows } = parseCsv(text);
  const lines = rows.map((row) => csvOrder(columns, row));
  const keys = new LineKeys({ text, base, run: anew ? crypto.randomUUID() : '' });
  const batch = new CsvBatch(session, { base, keys, lines });
  const outcomes = await batch.run(atOnce);
  const { print } = session;
  print.data(outcomes, (style) =>
    [
      table(
        [
          { title: 'LINE', keep: true },
          { title: 'ORDER', keep: true },
          { title: 'STATE', keep: true },
          { title: 'TOOK', keep: true },
          { title: 'IN → OUT' },
        ],
        outcomes.map((outcome) => [
          String(outcome.line),
          outcome.orderId ?? '–',
          { text: outcome.state, paint: (state: string) => paintState(style, state) },
          outcome.tookMs === undefined ? '' : spanText(outcome.tookMs),
          outcome.error
            ? `${outcome.error.code}: ${outcome.error.message}`
            : `${shortValue(outcome.input)} → ${shortValue(outcome.result)}`,
        ]),
        { width: print.width, style },
      ),
      '',
      summaryText(outcomes),
    ].join('\n'),
  );
  if (session.interrupted.aborted) {
    throw new CliError(EXIT.interrupted, `${batch.open} orders go on without a watcher; no more are placed.`, [
      anew ? 'see them: connecta orders list' : 'The same command goes on from there.',
    ]);
  }
  if (batch.stopped) throw batch.stopped;
  return outcomes.every(({ state }) => state === 'completed') ? EXIT.ok : EXIT.failed;
}

function summaryText(outcomes: readonly LineOutcome[]): string {
  const counts = Map.groupBy(outcomes, ({ state }) => state);
  return `${outcomes.length} lines: ${[...counts].map(([state, list]) => `${list.length} ${state}`).join(', ')}`;
}
