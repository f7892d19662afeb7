import type { Session } from '../session.ts';
import { CliError, EXIT, reasonOf } from '../failures.ts';
import { isOpenToOthers, contextFilePath } from '../connection/context-file.ts';
import { findLocalSystem } from '../connection/local-system.ts';
import type { Target } from '../connection/target.ts';
import type { Finding } from './finding.ts';
import { lastComplaints } from './local-logs.ts';
import { examineLocalPorts } from './local-ports.ts';
import { examineRedis } from './redis-info.ts';
import { examineEngine, examineWorkers } from './work.ts';

const TIMEOUT_MS = 5_000;
const OLDEST_NODE = 24;

/** Looks at everything that is in reach, the causes before their consequences: the first bad finding is the diagnosis. */
export async function examine(session: Session): Promise<Finding[]> {
  const findings: Finding[] = [examineNode()];
  const redis = await examineRedis(session.around.env);
  if (redis) findings.push(redis);
  const target = targetOf(session);
  if (!('url' in target)) return [...findings, target];
  findings.push({ name: 'address', state: 'ok', message: `${target.url} (from: ${target.source})` });
  if (isOpenToOthers(contextFilePath(session.around.env))) {
    const path = contextFilePath(session.around.env);
    findings.push({
      name: 'contexts',
      state: 'warn',
      message: `${path} can be read by others.`,
      hint: `chmod 600 ${path}`,
    });
  }
  const reached = await examineReach(session, target);
  findings.push(...reached);
  if (reached.some(({ state }) => state === 'bad')) return findings;
  findings.push(await examineReadiness(target));
  const key = await examineKey(session, target);
  findings.push(key);
  if (key.state !== 'ok') return findings;
  return [...findings, ...(await examineWorkers(session)), await examineEngine(session)];
}

function examineNode(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= OLDEST_NODE
    ? { name: 'node', state: 'ok', message: process.version }
    : {
        name: 'node',
        state: 'bad',
        message: `Node ${process.version} is too old: ${OLDEST_NODE} or newer is needed.`,
        hint: "'npm ci' in the repository brings a Node of its own.",
      };
}

function targetOf(session: Session): Target | Finding {
  try {
    return session.target;
  } catch (error) {
    const { message, hints } = error as CliError;
    return { name: 'address', state: 'bad', message, hint: hints.join(' '), exitCode: EXIT.usage };
  }
}

/** Whether somebody answers, and whether that is Connecta. */
async function examineReach(session: Session, { url, source }: Target): Promise<Finding[]> {
  try {
    const response = await fetch(new URL('/live', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok && (body as { status?: unknown } | undefined)?.status === 'live') {
      return [{ name: 'reach', state: 'ok', message: 'fe-api answers' }];
    }
    return [
      {
        name: 'reach',
        state: 'bad',
        message: `Something answers at ${url}, but it is not Connecta: another program has the port.`,
        hint: 'Stop that program, or choose another port with CONNECTA_FE_PORT.',
        exitCode: EXIT.unreachable,
      },
    ];
  } catch (error) {
    return unreachable(session, { url, source, error });
  }
}

async function unreachable(
  session: Session,
  { url, source, error }: { url: string; source: string; error: unknown },
): Promise<Finding[]> {
  const { env, cwd } = session.around;
  const local = findLocalSystem(env, cwd);
  const isLocal = local !== undefined && source.startsWith('local system');
  const ports = isLocal ? await examineLocalPorts(env) : [];
  const complaints = isLocal ? lastComplaints(local.dataDir) : [];
  const why = complaints[0] ? ` The last complaint in its logs: ${complaints[0].message}` : '';
  return [
    ...ports,
    {
      name: 'reach',
      state: 'bad',
      message: `fe-api cannot be reached at ${url}: ${reasonOf(error)}.${why}`,
      hint: isLocal ? "Start it with 'connecta up'." : 'Is the address right, and the installation up?',
      exitCode: EXIT.unreachable,
    },
    ...complaints.map((complaint): Finding => ({ name: complaint.process, state: 'warn', message: complaint.message })),
  ];
}

async function examineReadiness({ url }: Target): Promise<Finding> {
  try {
    const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { status, checks = {} } = (await response.json()) as { status: string; checks?: Record<string, string> };
    const failing = Object.entries(checks).flatMap(([name, state]) => (state === 'ok' ? [] : [name]));
    if (response.ok) return { name: 'ready', state: 'ok', message: Object.keys(checks).join(', ') };
    const what = failing.length > 0 ? `it cannot use its ${failing.join(' and ')}` : `it is ${status}`;
    return {
      name: 'ready',
      state: 'bad',
      message: `fe-api is up and not ready: ${what}.`,
      hint: failing.includes('database')
        ? 'Is Postgres up, and DATABASE_URL right?'
        : 'Its log says more; retry in a moment.',
      exitCode: EXIT.unavailable,
    };
  } catch (error) {
    return {
      name: 'ready',
      state: 'bad',
      message: `/ready did not answer: ${(error as Error).message}`,
      exitCode: EXIT.unavailable,
    };
  }
}

async function examineKey(session: Session, target: Target): Promise<Finding> {
  if (target.key === undefined) {
    return {
      name: 'key',
      state: 'bad',
      message: `There is no key for ${target.url}.`,
      hint: 'Give one with --key or CONNECTA_KEY.',
      exitCode: EXIT.notAllowed,
    };
  }
  try {
    const me = await session.api.take(session.api.client.GET('/v1/me'));
    return {
      name: 'key',
      state: 'ok',
      message: `${me.name} (${me.role}${me.client === null ? '' : `, client ${me.client}`})`,
    };
  } catch (error) {
    const exitCode = error instanceof CliError ? error.exitCode : EXIT.unavailable;
    const wrong = exitCode === EXIT.notAllowed;
    return {
      name: 'key',
      state: 'bad',
      message: wrong
        ? `The key (${target.key.slice(0, 6)}…) is not known at ${target.url}: it is wrong, or was revoked.`
        : (error as Error).message,
      ...(wrong
        ? { hint: 'Give another with --key or CONNECTA_KEY; an admin makes one with: connecta keys create' }
        : {}),
      exitCode,
    };
  }
}
