import { runCommandLine } from './command-line.ts';

const interruption = new AbortController();
process.on('SIGINT', () => {
  // Whoever asks twice does not want to wait for a farewell.
  if (interruption.signal.aborted) process.exit(130);
  interruption.abort();
});
// The reader has left (`| head`): nothing that is still to be said has a reader.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runCommandLine(process.argv.slice(2), {
  around: {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
  },
  interrupted: interruption.signal,
});
