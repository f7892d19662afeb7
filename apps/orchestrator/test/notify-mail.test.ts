import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createChannel } from '@connecta/store';
import { MailSender } from '../src/notify/send-mail.ts';
import { failure, openNotifyWorld, type NotifyWorld } from './notify-world.ts';
import { startSmtp } from './receivers.ts';

let world: NotifyWorld;
let server: Awaited<ReturnType<typeof startSmtp>>;

beforeAll(async () => {
  world = await openNotifyWorld();
  server = await startSmtp({ REFUSE: '1' });
});
afterAll(async () => {
  await server.stop();
  await world.close();
});

test('mails go through a real server: to the registered contact, and as a digest', async () => {
  const mails = new MailSender({
    url: `smtp://127.0.0.1:${server.port}`,
    from: 'connecta@example.org',
    timeoutMs: 5000,
  });
  const digest = {
    team: 'makers',
    kind: 'mail',
    target: 'digest@example.org',
    digestMs: 60_000,
    enabled: true,
  } as const;
  const { channel } = await createChannel(world.store, digest);
  await world.failedOrder();
  await world.failedOrder({ ...failure, code: 'no_paper' });
  const { turn, close } = world.notifier({ mails });
  await turn();
  const targets = (await world.deliveries()).map(({ target }) => target).sort();
  expect(targets).toEqual(['digest@example.org', 'painters@example.org', 'painters@example.org']);
  const collected = (await world.deliveries()).find(({ channelId }) => channelId === channel.id);
  expect(collected).toMatchObject({ state: 'due', attempts: 0 });
  await world.comesDue();
  await turn();
  close();
  const got = [await server.mail(), await server.mail(), await server.mail()];
  mails.close();
  const { mail = '' } = got.find(({ to }) => to[0] === 'digest@example.org') ?? {};
  expect(mail).toContain('Subject: [Connecta] 2 notices for makers');
  expect(mail).toContain('maker/x failed: no_disk');
  expect(mail).toContain('maker/x failed: no_paper');
  // The server had refused the first mail.
  const ends = (await world.deliveries()).map(({ state, attempts }) => `${state} ${attempts}`).sort();
  expect(ends).toEqual(['delivered 1', 'delivered 1', 'delivered 2']);
});
