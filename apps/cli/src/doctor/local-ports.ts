import { createServer } from 'node:net';
import { once } from 'node:events';
import { EXIT } from '../failures.ts';
import type { Finding } from './finding.ts';

/** Whether `npm start` would find its ports free; asked only when no Connecta answers. */
export async function examineLocalPorts(env: Readonly<Record<string, string | undefined>>): Promise<Finding[]> {
  const ports = [
    { variable: 'CONNECTA_FE_PORT', port: Number(env['CONNECTA_FE_PORT'] || 4000) },
    { variable: 'CONNECTA_BE_PORT', port: Number(env['CONNECTA_BE_PORT'] || 4100) },
  ];
  const findings = await Promise.all(
    ports.map(async ({ variable, port }): Promise<Finding | undefined> => {
      if (await isFree(port)) return undefined;
      return {
        name: 'port',
        state: 'bad',
        message: `Port ${port} is taken by another program, so the local system cannot start there.`,
        hint: `Stop that program, or set ${variable} to another port.`,
        exitCode: EXIT.unreachable,
      };
    }),
  );
  return findings.filter((finding) => finding !== undefined);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return true;
  } catch (error) {
    // A port that may not be had for another reason is not "taken".
    return (error as NodeJS.ErrnoException).code !== 'EADDRINUSE';
  } finally {
    server.close();
  }
}
