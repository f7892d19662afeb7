import { MAX_JSON_DEPTH, Problem, isDeeperThan, isStorable, type Fault, type JsonValue } from '@connecta/contracts';
import { readBody } from '@connecta/runtime';
import type { Request } from 'express';
import { LineCounter, isNode, parseDocument, visit, type Document } from 'yaml';

const MAX_BYTES = 1_048_576;

/** A workflow as it was sent, and where in its text a JSON pointer points, for YAML. */
export interface WorkflowBody {
  value: unknown;
  /** Adds line and column to each fault. */
  locate: (faults: readonly Fault[]) => Fault[];
}

/** Reads a workflow from a JSON or YAML body. @throws Problem bad_request, json_too_deep, too_large */
export async function readWorkflowBody(req: Request): Promise<WorkflowBody> {
  if (/^application\/json\b/i.test(req.headers['content-type'] ?? '')) {
    return { value: req.body as unknown, locate: (faults) => [...faults] };
  }
  return readYaml((await readBody(req, MAX_BYTES)).toString('utf8'));
}

function readYaml(text: string): WorkflowBody {
  const lines = new LineCounter();
  let document: Document.Parsed;
  let value: unknown;
  try {
    document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, stringKeys: true });
    const faults = [...document.errors.map(({ message, pos: [at] }) => ({ message, at })), ...aliasesIn(document)].map(
      ({ message, at }): Fault => {
        const { line, col } = lines.linePos(at);
        return { path: '', message: message.split('\n')[0]?.replace(/ at line .*$/, '') ?? '', line, column: col };
      },
    );
    const [first] = faults;
    if (first) {
      throw new Problem('bad_request', `The body is not YAML: line ${first.line}: ${first.message}`, { faults });
    }
    value = document.toJS({ maxAliasCount: 0 });
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    if (cause instanceof RangeError) throw new Problem('json_too_deep', 'The YAML is nested too deeply', { cause });
    throw new Problem('bad_request', 'The YAML cannot be read', { cause });
  }
  if (isDeeperThan(value, MAX_JSON_DEPTH)) throw new Problem('json_too_deep', 'The YAML is nested too deeply');
  if (value !== undefined && !isStorable(value as JsonValue)) {
    throw new Problem('bad_request', 'The YAML holds text that cannot be stored');
  }
  return { value, locate: (faults) => faults.map((fault) => withLine(fault, document, lines)) };
}

/** An alias can stand for more than fits into memory. */
function aliasesIn(document: Document.Parsed): { message: string; at: number }[] {
  const found: { message: string; at: number }[] = [];
  visit(document, {
    Alias: (_key, { source, range }) => {
      found.push({ message: `aliases are not allowed: *${source}`, at: range?.[0] ?? 0 });
    },
  });
  return found;
}

/** The fault with line and column of the nearest node that exists: what is missing has none of its own. */
function withLine(fault: Fault, document: Document.Parsed, lines: LineCounter): Fault {
  const path = fault.path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  for (let depth = path.length; depth >= 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (!isNode(node) || !node.range) continue;
    const { line, col } = lines.linePos(node.range[0]);
    return { ...fault, line, column: col };
  }
  return fault;
}
