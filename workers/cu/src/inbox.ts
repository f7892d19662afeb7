import { runProcess } from '@connecta/runtime';
import { openBeApi } from '@connecta/worker-kit';
import { readInboxConfig } from './config.ts';
import { InboxGateway } from './inbox/inbox-gateway.ts';
import { Inbox } from './inbox/inbox.ts';
import { Shares } from './shares/shares.ts';

await runProcess({
  name: 'cu-inbox',
  config: () => readInboxConfig(process.env),
  main: async ({ config, log, closers }) => {
    const gateway = new InboxGateway(openBeApi({ url: config.beApiUrl, key: config.serviceAccountKey }));
    const shares = new Shares(config.shares);
    for (const settings of config.inboxes) {
      const inbox = new Inbox({ settings, gateway, shares, log });
      closers.add(`inbox ${settings.name}`, () => inbox.stop());
      inbox.start();
    }
    // Waiting between two looks must not let the process end: there may be no inbox at all.
    const alive = setInterval(() => undefined, 60_000);
    closers.add('alive', () => clearInterval(alive));
  },
});
