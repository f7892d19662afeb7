import { parseDocument } from 'yaml';
import type { Api } from '../api/api.ts';
import { CliError, EXIT, ProblemError } from '../failures.ts';
import { withOneKey } from '../orders/place-order.ts';
import { nameOf, type WorkflowFile } from '../workflows/workflow-file.ts';

const LONGEST_NAME = 100;

/** Where a pipeline is tried: a client and a workflow of its own, so nothing that people look at or build on changes. */
export interface TestSpace {
  readonly client: string;
  readonly workflow: string;
  /** Whether a step of the pipeline asks for the result cache. */
  readonly mayCache: boolean;
  /** Deletes the workflow; its orders stay readable, under the client. */
  close(): Promise<void>;
}

/** Saves the pipeline under a name that nobody has, and makes the client unless it is there. @throws ProblemError */
export async function openTestSpace(
  api: Api,
  file: WorkflowFile,
  options: { client: string | undefined },
): Promise<TestSpace> {
  const name = nameOf(file);
  const random = crypto.randomUUID().slice(0, 8);
  const workflow = `test-${name.slice(0, LONGEST_NAME - 14).replace(/[-_]+$/, '')}-${random}`;
  const client = options.client ?? `test-${name}`.slice(0, LONGEST_NAME).replace(/[-_]+$/, '');
  if (options.client === undefined) await ensureClient(api, client);
  const etag = await saveWorkflow(api, file, workflow);
  return {
    ...{ client, workflow, mayCache: asksForCache(file) },
    close: async () => {
      await api.take(
        api.client.DELETE('/v1/workflows/{name}', {
          params: { path: { name: workflow }, header: { 'If-Match': etag } },
        }),
      );
    },
  };
}

function asksForCache({ content }: WorkflowFile): boolean {
  const steps = content?.['steps'];
  if (typeof steps !== 'object' || steps === null) return false;
  return Object.values(steps).some((step: unknown) => typeof step === 'object' && step !== null && 'cache' in step);
}

async function ensureClient(api: Api, name: string): Promise<void> {
  try {
    await api.take(api.client.GET('/v1/clients/{client}', { params: { path: { client: name } } }));
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== EXIT.notFound) throw error;
    // What tests leave behind is of no use to anybody the day after.
    await withOneKey((key) =>
      api.take(
        api.client.POST('/v1/clients', {
          params: { header: { 'Idempotency-Key': key } },
          body: { name, retentionDays: 1 },
        }),
      ),
    );
  }
}

async function saveWorkflow(api: Api, file: WorkflowFile, name: string): Promise<string> {
  const document = parseDocument(file.text, { logLevel: 'silent' });
  if (document.errors.length === 0 && file.content) document.set('name', name);
  const text = document.errors.length === 0 ? document.toString() : file.text;
  try {
    const { etag } = await withOneKey((key) =>
      api.takeTagged(
        api.client.POST('/v1/workflows', {
          params: { header: { 'Idempotency-Key': key } },
          body: text,
          headers: { 'content-type': 'application/yaml' },
          bodySerializer: (body: unknown) => String(body),
        }),
      ),
    );
    return etag;
  } catch (error) {
    throw error instanceof ProblemError ? error.in(file) : error;
  }
}
