/** Hosts that a registered URL may name: `name`, `name:port`, or `*.domain` for all names below a domain. */
export class AllowedHosts {
  readonly #patterns: readonly string[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => pattern.toLowerCase());
  }

  /**
   * What is wrong with the URL; undefined when nothing is. The gateways call it from inside the network, so it must not
   * name whatever its sender likes.
   */
  faultOf(text: string): string | undefined {
    if (!URL.canParse(text)) return 'is not a URL';
    const url = new URL(text);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
    if (url.username !== '' || url.password !== '') return 'must not hold credentials';
    if (url.search !== '' || url.hash !== '') return 'must not have a query or a fragment';
    return this.allows(text)
      ? undefined
      : `names the host ${url.host}, which is not on the allow-list (WORKER_URL_ALLOW)`;
  }

  /** True when the URL's host is one of them. */
  allows(text: string): boolean {
    if (!URL.canParse(text)) return false;
    const { hostname, host } = new URL(text);
    return this.#patterns.some((pattern) =>
      pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : pattern === hostname || pattern === host,
    );
  }
}
