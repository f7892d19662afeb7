import { Argument, type Command } from 'commander';
import { UsageError } from '../failures.ts';
import { findJobs, waitingJob } from '../orders/find-jobs.ts';
import { findOrderId } from '../orders/find-order.ts';
import { readValue } from '../orders/order-input.ts';
import { ORDER, type CommandTools } from './tools.ts';

interface DecideOptions {
  step?: string;
  value?: string;
  comment?: string;
}

type Decision = 'approve' | 'reject' | 'edit';

/** `connecta decide`: the answer of a person that an order waits for. */
export function addDecide(program: Command, tools: CommandTools): void {
  program
    .command('decide')
    .description('approve, reject or change what an order waits for')
    .argument('<order>', ORDER)
    .addArgument(new Argument('<decision>').choices(['approve', 'reject', 'edit']))
    .option('--step <step>', 'the step, when several wait; step[3] for one item')
    .option('--value <json>', 'with edit: the value to go on with (JSON, @file, or -)')
    .option('-m, --comment <text>', 'kept in the trace')
    .action((order: string, decision: Decision, options: DecideOptions) => decide(order, decision, options, tools));
}

async function decide(
  text: string,
  decision: Decision,
  options: DecideOptions,
  { session }: CommandTools,
): Promise<void> {
  if ((decision === 'edit') !== (options.value !== undefined)) {
    throw new UsageError('edit takes the value to go on with in --value; the other decisions take none.');
  }
  const { api, print } = session;
  const id = await findOrderId(api, text);
  const order = await api.take(api.client.GET('/v1/orders/{id}', { params: { path: { id } } }));
  const job = waitingJob(order, await findJobs(api, id, options.step), options.step);
  const value = options.value === undefined ? undefined : await readValue(options.value, '--value', session.around);
  const decided = await api.take(
    api.client.POST('/v1/orders/{id}/jobs/{jobId}/decision', {
      params: { path: { id, jobId: job.id } },
      body: {
        decision,
        ...(value === undefined ? {} : { value }),
        ...(options.comment === undefined ? {} : { comment: options.comment }),
      },
    }),
  );
  const words = { approve: 'approved', reject: 'rejected', edit: 'changed and approved' };
  print.data(decided, (style) => `${style.strong(job.step)} of order ${id} is ${words[decision]}`);
}
