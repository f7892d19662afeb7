/** `npm run chaos`: sets up what is missing, then breaks a whole system (see docs/faults.md). */
import { continueInOwnNode } from './set-up/own-node.mjs';
import { setUp } from './set-up.mjs';

try {
  setUp();
  continueInOwnNode('features/chaos/main.ts', process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
