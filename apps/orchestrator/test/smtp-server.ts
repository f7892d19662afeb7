/** A mail server of its own, as a process: prints its port, then each mail that it takes as one line of JSON. */
import { text } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';

let refuse = Number(process.env['REFUSE'] ?? 0);

const server = new SMTPServer({
  disabledCommands: ['STARTTLS', 'AUTH'],
  onData(stream, session, done) {
    void text(stream).then((mail) => {
      if (refuse-- > 0) {
        done(Object.assign(new Error('try again later'), { responseCode: 451 }));
        return;
      }
      const to = session.envelope.rcptTo.map(({ address }) => address);
      process.stdout.write(`${JSON.stringify({ to, mail })}\n`);
      done();
    });
  },
});
server.listen(0, '127.0.0.1', () => {
  const address = server.server.address();
  process.stdout.write(`${JSON.stringify({ port: typeof address === 'object' ? address?.port : 0 })}\n`);
});
process.stdin.resume().on('end', () => process.exit(0));
