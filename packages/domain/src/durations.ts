export { parseDuration } from '@connecta/contracts';
