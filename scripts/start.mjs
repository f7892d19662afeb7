/** `npm start`: sets up what is missing, then boots the whole system (see stack.ts). */
import { continueInOwnNode } from './set-up/own-node.mjs';
import { setUp } from './set-up.mjs';

try {
  setUp();
  continueInOwnNode('scripts/stack.ts', process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
