import { createHmac } from 'node:crypto';

/**
 * The secret that signs webhooks to one receiver (Standard Webhooks: `whsec_` and base64), derived from the system's
 * key, so that none is stored. `signedAs` names whose it is and which generation (`client:<id>:1`): rotating it means
 * counting the generation up.
 */
export function webhookSecret(key: string, signedAs: string): string {
  const digest = createHmac('sha256', Buffer.from(key, 'base64url')).update(`connecta webhook ${signedAs}`).digest();
  return `whsec_${digest.toString('base64')}`;
}
