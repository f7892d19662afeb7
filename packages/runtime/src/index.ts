export { ConfigError, readConfig, type ConfigFault } from './config/read-config.ts';
export {
  LOG_LEVELS,
  configFields,
  processConfig,
  processConfigFields,
  type LogLevel,
  type ProcessConfig,
} from './config/config-fields.ts';
export { createLogger, silentLogger, type Logger } from './logging/logger.ts';
export { Closers, withClosers } from './lifecycle/closers.ts';
export { runProcess, type ProcessScope } from './lifecycle/run-process.ts';
export { Metrics } from './metrics/metrics.ts';
export { continueTrace, formatTraceparent, type Trace } from './tracing/traceparent.ts';
export { createApi, type ApiOptions } from './http/create-api.ts';
export { startServer, type HttpServer } from './http/server.ts';
export { RequestContext, principalOf } from './http/request-context.ts';
export { answer, inputOf, type OperationAnswer, type OperationInput } from './http/operation-io.ts';
export { sendProblem, toProblem } from './http/problems.ts';
export { isUnavailable } from './http/unavailable.ts';
export { assertRevision, etagOf, requireIfMatch, setEtag } from './http/preconditions.ts';
export { decodeCursor, encodeCursor, toPage, type Page } from './http/cursors.ts';
export { idempotencyKeyOf, idempotencyOf, type Idempotency } from './http/idempotency.ts';
export { hasBody, readBody } from './http/read-json-body.ts';
export { createHealthApp, type HealthOptions, type ReadyChecks } from './http/system-routes.ts';
export { compileValueCheck, type ValueCheck } from './openapi/value-check.ts';
export { parseSafeJson, unstorableText } from './openapi/safe-json.ts';
export { bearerOf, hashKey, keyMatches, newKey } from './authentication/keys.ts';
export { KEY_CACHE_TTL_MS, KeyCache } from './authentication/key-cache.ts';
export { OidcVerifier, type OidcIdentity, type OidcOptions } from './authentication/oidc.ts';
export { requireRole } from './authentication/roles.ts';
export { createAnswerChecker, type AnswerChecker } from './openapi/answer-checker.ts';
export { AllowedHosts } from './http/allowed-hosts.ts';
export { ForbiddenAddressError, GuardedFetch, type ForbiddenAddresses } from './http/guarded-fetch.ts';
export { webhookSecret } from './authentication/webhook-secret.ts';
