import { AllowedHosts, type Closers, type Logger } from '@connecta/runtime';
import type { Store } from '@connecta/store';
import type { OrchestratorConfig } from '../config.ts';
import { Notifier } from './notifier.ts';
import { MailSender } from './send-mail.ts';
import { WebhookSender } from './send-webhook.ts';

/** The notifier with its senders, as the configuration has them; they close with the process. */
export function openNotifier(
  config: OrchestratorConfig['notify'],
  { store, log, closers }: { store: Store; log: Logger; closers: Closers },
): Notifier {
  const { webhookKey: key, timeoutMs, smtp, quietMs } = config;
  const webhooks = new WebhookSender({ key, timeoutMs, hosts: new AllowedHosts(config.hosts) });
  closers.add('webhooks', () => webhooks.close());
  const mails = smtp && new MailSender({ ...smtp, timeoutMs });
  if (mails) closers.add('mails', () => mails.close());
  const notifier = new Notifier({ store, log, webhooks, mails, quietMs });
  closers.add('notifier', () => notifier.stop());
  return notifier;
}
