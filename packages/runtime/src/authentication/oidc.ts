import { Problem } from '@connecta/contracts';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';

export interface OidcOptions {
  /** Exactly as in the tokens' `iss`. */
  issuer: string;
  audience: string;
  /** Where the issuer's keys are; without it, discovered from `<issuer>/.well-known/openid-configuration`. */
  jwksUrl?: string;
  /** The claim that holds role names, dots lead into objects: `realm_access.roles`. */
  rolesClaim?: string;
  /** The claim that holds the client's name. */
  clientClaim?: string;
}

/** What a verified token says. */
export interface OidcIdentity {
  subject: string;
  roles: string[];
  client?: string;
}

/** Verifies JWTs of one OpenID Connect issuer by its published keys. */
export class OidcVerifier {
  readonly #options: OidcOptions;
  #keys: Promise<JWTVerifyGetKey> | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  /** True for a text that has the three parts of a JWT: everything else is an API key. */
  static looksLikeJwt(token: string): boolean {
    return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token);
  }

  /** @throws Problem unauthenticated when the token is not valid here and now, unavailable when the keys cannot be had. */
  async verify(token: string): Promise<OidcIdentity> {
    const { issuer, audience, rolesClaim = 'roles', clientClaim = 'client' } = this.#options;
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, await this.#keySet(), { issuer, audience, clockTolerance: 10 }));
    } catch (cause) {
      if (isTokenFault(cause)) throw new Problem('unauthenticated', 'The token is not valid', { cause });
      throw new Problem('unavailable', "The identity provider's keys cannot be read", { cause });
    }
    if (!payload.sub) throw new Problem('unauthenticated', 'The token names no subject');
    const client = claimAt(payload, clientClaim);
    const roles = claimAt(payload, rolesClaim);
    return {
      subject: payload.sub,
      roles: Array.isArray(roles)
        ? roles.filter((role) => typeof role === 'string')
        : typeof roles === 'string'
          ? roles.split(' ')
          : [],
      ...(typeof client === 'string' ? { client } : {}),
    };
  }

  async #keySet(): Promise<JWTVerifyGetKey> {
    this.#keys ??= this.#discover();
    try {
      return await this.#keys;
    } catch (error) {
      this.#keys = undefined;
      throw error;
    }
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const url = this.#options.jwksUrl ?? (await this.#discoverUrl());
    return createRemoteJWKSet(new URL(url), { timeoutDuration: 5_000 });
  }

  async #discoverUrl(): Promise<string> {
    const url = `${this.#options.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const response = await fetch(url, { signal: AbortSignal.timeout(5_000), redirect: 'error' });
    const document = (await response.json()) as { jwks_uri?: unknown };
    if (!response.ok || typeof document.jwks_uri !== 'string') throw new Error(`${url} names no jwks_uri`);
    return document.jwks_uri;
  }
}

/** jose's errors of a key set that cannot be fetched are no fault of the token. */
function isTokenFault(error: unknown): boolean {
  return (
    error instanceof errors.JOSEError &&
    !(error instanceof errors.JWKSTimeout) &&
    !(error instanceof errors.JWKSInvalid) &&
    error.code !== 'ERR_JOSE_GENERIC'
  );
}

function claimAt(payload: JWTPayload, path: string): unknown {
  // A namespaced claim ("https://x.org/roles") has dots of its own, so the whole name goes first.
  if (path in payload) return payload[path];
  return path
    .split('.')
    .reduce<unknown>(
      (at, part) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[part] : undefined),
      payload,
    );
}
