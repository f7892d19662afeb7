/** `npm test`: sets up what is missing, then runs every test (see run-tests.ts). */
import { continueInOwnNode } from './set-up/own-node.mjs';
import { setUp } from './set-up.mjs';

try {
  setUp();
  continueInOwnNode('scripts/run-tests.ts', process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
