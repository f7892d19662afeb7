/** `npm run bench`: sets up what is missing, then measures Connecta beside its floor (see README.md). */
import { continueInOwnNode } from './set-up/own-node.mjs';
import { setUp } from './set-up.mjs';

try {
  setUp();
  continueInOwnNode('bench/src/main.ts', process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
