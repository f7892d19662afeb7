/** A client as a process of its own, so that its work does not disturb the clock of the one that measures. */
import { openConnectaClient } from '../connecta/client.ts';
import { openListClient } from '../connecta/lists.ts';
import { openFloorClient } from '../floor/client.ts';
import type { Contestant } from './contestant.ts';
import { measureBatch, measureLatency, measureSingles, verify } from './measure.ts';
import type { ThroughputRun } from './measure.ts';
import type { ClientAnswers, ClientCommand, ClientPlan, ClientReply } from './protocol.ts';

function open(plan: ClientPlan): Promise<Contestant> {
  switch (plan.kind) {
    case 'floor':
      return openFloorClient(plan);
    case 'connecta':
      return openConnectaClient(plan);
    case 'lists':
      return openListClient(plan);
  }
}

class ClientProcess {
  #contestant: Contestant | undefined;
  /** What the last throughput run placed, until it is verified. */
  #placed: { ids: readonly string[]; orders: number } = { ids: [], orders: 0 };

  async run(command: ClientCommand): Promise<ClientAnswers[keyof ClientAnswers]> {
    switch (command.do) {
      case 'open':
        this.#contestant = await open(command.plan);
        return null;
      case 'batch':
        return this.#place(command.orders, await measureBatch(this.#opened, command.orders));
      case 'singles':
        return this.#place(command.orders, await measureSingles(this.#opened, command));
      case 'latency':
        return measureLatency(this.#opened, command.orders);
      case 'verify':
        await verify(this.#opened, this.#placed.ids, this.#placed.orders);
        return this.#placed.orders;
      case 'close':
        await this.#contestant?.close();
        return null;
    }
  }

  get #opened(): Contestant {
    if (!this.#contestant) throw new Error('open comes first');
    return this.#contestant;
  }

  #place(orders: number, { ids, ms, submitMs }: ThroughputRun): ClientAnswers['batch'] {
    this.#placed = { ids, orders };
    return { ms, submitMs };
  }
}

const client = new ClientProcess();
const reply = (message: ClientReply): void => void process.send?.(message);
process.on('message', (command: ClientCommand) => {
  client.run(command).then(
    (answer) => reply({ answer }),
    (error: unknown) => reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
