export { teardownTestServices as default } from '@connecta/embedded';
