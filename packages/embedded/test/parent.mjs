/** Starts embedded services in the directory it is given, says where they are, and stays until it is killed. */
import { startEmbedded } from '../src/index.ts';

const { env, services } = await startEmbedded({ dataDir: process.argv[2], env: { PATH: process.env.PATH } });
const pids = Object.values(services).map(({ pid }) => pid);
process.stdout.write(`${JSON.stringify({ env, pids })}\n`);
setInterval(() => undefined, 60_000);
