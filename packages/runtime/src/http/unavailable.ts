/** Node's codes of a peer that cannot be reached or went away. */
const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);
/**
 * Postgres (https://www.postgresql.org/docs/current/errcodes-appendix.html): too many connections, shutting down,
 * starting up, statement timeout, lock timeout, deadlock, serialization failure, idle transaction ended. Prisma:
 * cannot reach, timed out, closed, pool timeout, too many connections, write conflict. Azure: request not sent. Our own queue's.
 */
const SERVICES = new Set([
  ...['53300', '57P01', '57P02', '57P03', '57014', '55P03', '40P01', '40001', '25P03', '25P02'],
  ...['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2034', 'P2037', 'REQUEST_SEND_ERROR'],
  ...['queue_unavailable', 'queue_closed'],
]);
const MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Cannot use a pool after|Connection is closed|the database system is|Query read timeout)/;
const NAMES = new Set([
  'MaxRetriesPerRequestError',
  'DatabaseNotReachable',
  'SocketTimeout',
  'ConnectionClosed',
  'StorageUnavailableError',
]);

/** True when an error, or a cause of it, says that a service cannot be reached now: trying again later may help. */
export function isUnavailable(error: unknown): boolean {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && typeof current === 'object' && current !== null; depth++) {
    if (saysUnavailable(current)) return true;
    if (current instanceof AggregateError && current.errors.some((inner) => isUnavailable(inner))) return true;
    current = 'cause' in current ? current.cause : undefined;
  }
  return false;
}

function saysUnavailable(error: object): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (NETWORK.has(code) || SERVICES.has(code) || /^08...$/.test(code)) return true;
  const name = 'name' in error && typeof error.name === 'string' ? error.name : '';
  const kind = 'kind' in error && typeof error.kind === 'string' ? error.kind : '';
  if (NAMES.has(name) || NAMES.has(kind)) return true;
  const message = 'message' in error && typeof error.message === 'string' ? error.message : '';
  return MESSAGES.test(message);
}
