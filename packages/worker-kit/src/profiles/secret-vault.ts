import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto';
import type { JsonValue } from '@connecta/contracts';

/** Encrypts single settings. `place` (profile and JSON pointer) is authenticated: a text moved elsewhere won't open. */
export interface SecretVault {
  seal(plain: JsonValue, place: string): string;
  /** @throws Error when no key of this vault made the text, or for another place. */
  open(sealed: string, place: string): JsonValue;
  /** A hash of a text that holds secrets (HMAC-SHA256, hex): unlike a plain one, it can't be guessed at. */
  digest(text: string): string;
}

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A vault that seals with `key` and opens what `key` or a former key sealed; keys are 32 bytes, base64url. A sealed
 * text is `<key id>.<base64url of iv, tag, AES-256-GCM ciphertext>`, the key id being 8 hex digits of the key's SHA-256.
 *
 * @throws RangeError when a key has not 32 bytes.
 */
export function openSecretVault(options: { key: string; formerKeys?: readonly string[] }): SecretVault {
  const current = readKey(options.key);
  const keys = new Map([...(options.formerKeys ?? []).map(readKey), current].map((key) => [key.id, key.secret]));
  return {
    digest: (text) => createHmac('sha256', current.secret).update(text).digest('hex'),
    seal(plain, place) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, current.secret, iv).setAAD(Buffer.from(place));
      const text = Buffer.concat([cipher.update(JSON.stringify(plain)), cipher.final()]);
      return `${current.id}.${Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64url')}`;
    },
    open(sealed, place) {
      const [keyId = '', body = ''] = sealed.split('.');
      const key = keys.get(keyId);
      if (!key) throw new Error(`a secret was sealed with key ${keyId}, which this process was not given`);
      const bytes = Buffer.from(body, 'base64url');
      const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(place))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const text = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      return JSON.parse(text.toString()) as JsonValue;
    },
  };
}

function readKey(base64url: string): { id: string; secret: KeyObject } {
  const bytes = Buffer.from(base64url, 'base64url');
  if (bytes.length !== 32) throw new RangeError('a profile encryption key has 32 bytes, base64url encoded');
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), secret: createSecretKey(bytes) };
}
