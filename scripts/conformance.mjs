/** `npm run conformance`: sets up what is missing, then tries a worker against the protocol (see conformance/). */
import { continueInOwnNode } from './set-up/own-node.mjs';
import { setUp } from './set-up.mjs';

try {
  setUp();
  continueInOwnNode('conformance/src/main.ts', process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
