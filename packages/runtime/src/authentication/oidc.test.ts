import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SignJWT, exportJWK, generateKeyPair, type CryptoKey } from 'jose';
import { OidcVerifier } from './oidc.ts';

let issuer: Server;
let url: string;
let key: CryptoKey;
let otherKey: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair('RS256');
  key = pair.privateKey;
  otherKey = (await generateKeyPair('RS256')).privateKey;
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256' };
  issuer = createServer((req, res) => {
    res.setHeader('content-type', 'application/json');
    if (req.url === '/.well-known/openid-configuration') res.end(JSON.stringify({ jwks_uri: `${url}/jwks` }));
    else res.end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => issuer.close(resolve)));

interface TokenOptions {
  claims?: object;
  signer?: CryptoKey;
  audience?: string;
  expires?: string;
}
const token = ({ claims = {}, signer = key, audience = 'connecta', expires = '5m' }: TokenOptions = {}) =>
  new SignJWT({ realm_access: { roles: ['operator', 7] }, client: 'client-x', ...claims })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setSubject('someone')
    .setIssuer(url)
    .setAudience(audience)
    .setExpirationTime(expires)
    .sign(signer);
const verifier = () => new OidcVerifier({ issuer: url, audience: 'connecta', rolesClaim: 'realm_access.roles' });

describe('OidcVerifier', () => {
  test('reads subject, roles and client of a good token, with discovered keys', async () => {
    await expect(verifier().verify(await token())).resolves.toEqual({
      subject: 'someone',
      roles: ['operator'],
      client: 'client-x',
    });
  });

  test('refuses a foreign signature, another audience, an old token, and no token', async () => {
    const subject = verifier();
    const bad = [
      await token({ signer: otherKey }),
      await token({ audience: 'other' }),
      await token({ expires: '-1m' }),
      'a.b.c',
    ];
    for (const text of bad) {
      await expect(subject.verify(text)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });

  test('says unavailable while the keys cannot be had, and recovers', async () => {
    const away = new OidcVerifier({ issuer: 'http://127.0.0.1:9', audience: 'connecta' });
    await expect(away.verify(await token())).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('tells tokens from API keys', () => {
    expect(OidcVerifier.looksLikeJwt('aa.bb.cc')).toBe(true);
    expect(OidcVerifier.looksLikeJwt('ck_abc')).toBe(false);
  });
});
