import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { stringify } from 'yaml';
import type { WorkflowSummary } from '../api/shapes.ts';
import { CliError, EXIT, ProblemError, UsageError } from '../failures.ts';
import { diffText } from '../output/line-diff.ts';
import { faultsText } from '../output/problem-text.ts';
import { table } from '../output/table.ts';
import { agoText } from '../output/value-text.ts';
import { withOneKey } from '../orders/place-order.ts';
import type { Session } from '../session.ts';
import { dotText, graphOf, mermaidText, treeText } from '../workflows/step-graph.ts';
import { nameOf, readWorkflowFile, type WorkflowFile } from '../workflows/workflow-file.ts';
import { applicationText } from './profiles.ts';
import type { CommandTools } from './tools.ts';

/** `connecta workflows …`. */
export function addWorkflows(program: Command, tools: CommandTools): void {
  const workflows = program.command('workflows').description('named graphs of steps');
  workflows
    .command('list', { isDefault: true })
    .description('all workflows')
    .action(() => list(tools));
  workflows
    .command('get')
    .description('a workflow as a file that apply reads')
    .argument('<workflow>', NAME)
    .action((name: string) => get(name, tools));
  workflows
    .command('validate')
    .description('check a file without saving it; every fault with its line')
    .argument('<file>', 'YAML or JSON, - for standard input')
    .action((path: string) => validate(path, tools));
  workflows
    .command('apply')
    .description('save files as new versions; unchanged content keeps its version')
    .requiredOption('-f, --file <path...>', 'YAML or JSON, - for standard input')
    .option('--dry-run', 'only tell what would change')
    .action((options: { file: string[]; dryRun?: boolean }) => apply(options, tools));
  workflows
    .command('graph')
    .description('the steps of a workflow or a file as a picture')
    .argument('<workflow>', `${NAME}, or a file`)
    .addOption(new Option('--format <format>', 'how it is drawn').choices(['tree', 'mermaid', 'dot']).default('tree'))
    .action((name: string, options: { format: string }) => graph(name, options.format, tools));
}

const NAME = 'name, or name@version';

async function list({ session }: CommandTools): Promise<void> {
  const { api, print } = session;
  const workflows = await api.list<WorkflowSummary>((cursor) =>
    api.client.GET('/v1/workflows', { params: { query: cursor } }),
  );
  print.data(workflows, (style) =>
    workflows.length === 0
      ? 'No workflows.'
      : table(
          [
            { title: 'NAME', keep: true },
            { title: 'VERSION', keep: true },
            { title: 'CHANGED', keep: true },
            { title: 'DESCRIPTION' },
          ],
          workflows.map(({ name, version, description, updatedAt }) => [
            name,
            String(version),
            agoText(updatedAt, Date.now()),
            description ?? '',
          ]),
          { width: print.width, style },
        ),
  );
}

async function get(text: string, { session }: CommandTools): Promise<void> {
  const workflow = await readVersion(session, text);
  session.print.data(workflow, () => yamlOf(workflow.definition).trimEnd());
}

const yamlOf = (definition: unknown): string => stringify(definition, { lineWidth: 0 });

/** A workflow at its latest version, or at the one that is named behind an @. */
async function readVersion(
  { api }: Session,
  text: string,
): Promise<{ name: string; version: number; definition: unknown }> {
  const [name = text, version] = text.split('@');
  if (version === undefined) return api.take(api.client.GET('/v1/workflows/{name}', { params: { path: { name } } }));
  if (!/^\d+$/.test(version)) throw new UsageError(`'${version}' is no version: it is a number, as in ${name}@2.`);
  return api.take(
    api.client.GET('/v1/workflows/{name}/versions/{version}', {
      params: { path: { name, version: Number(version) } },
    }),
  );
}

async function validate(path: string, { session, ended }: CommandTools): Promise<void> {
  const { print } = session;
  const file = await readWorkflowFile(path, session.around);
  const found = await check(session, file);
  print.data(found, (style) => {
    const said = found.valid ? `${style.good('✓')} ${file.fileName} is a valid workflow` : '';
    const many = found.errors.length === 1 ? 'One fault' : `${found.errors.length} faults`;
    return found.valid ? said : `${style.bad('✗')} ${many}:\n${faultsText(found.errors, file, style)}`;
  });
  ended(found.valid ? EXIT.ok : EXIT.invalid);
}

async function check({ api }: Session, file: WorkflowFile) {
  return saying(file, () => api.take(api.client.POST('/v1/workflows/validate', { ...asYaml(file) })));
}

/** A workflow's text goes as it was written: JSON is YAML as well. */
const asYaml = (file: WorkflowFile) => ({
  body: file.text,
  headers: { 'content-type': 'application/yaml' },
  bodySerializer: (text: unknown) => String(text),
});

/** The text of a new workflow; one that names itself nowhere gets the name of its file. */
function textUnder(name: string, { content, text }: WorkflowFile): string {
  return content === undefined || content['name'] !== undefined ? text : JSON.stringify({ name, ...content });
}

async function saying<Result>(file: WorkflowFile, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw error instanceof ProblemError ? error.in(file) : error;
  }
}

async function apply(
  { file: paths, dryRun = false }: { file: string[]; dryRun?: boolean },
  { session }: CommandTools,
): Promise<void> {
  const files = await Promise.all(paths.map((path) => readWorkflowFile(path, session.around)));
  const applied: Awaited<ReturnType<typeof applyFile>>[] = [];
  for (const file of files) applied.push(await applyFile(session, file, dryRun));
  session.print.data(applied, (style) =>
    applied
      .map(({ name, version, ...each }) =>
        applicationText(
          { ...each, task: name, counts: 'version', ...(version === undefined ? {} : { revision: version }) },
          dryRun,
          style,
        ),
      )
      .join('\n'),
  );
}

async function applyFile(session: Session, file: WorkflowFile, dryRun: boolean) {
  const { api, print } = session;
  const name = nameOf(file);
  const before = await api
    .takeTagged(api.client.GET('/v1/workflows/{name}', { params: { path: { name } } }))
    .catch((error: unknown) => {
      if (error instanceof CliError && error.exitCode === EXIT.notFound) return undefined;
      throw error;
    });
  const after = yamlOf({ name, ...file.content });
  const diff = diffText(before ? yamlOf(before.data.definition) : '', after, print.style);
  if (dryRun) {
    const found = await check(session, file);
    if (!found.valid) throw invalid(file, found.errors);
    const action = before ? (diff === '' ? ('keep' as const) : ('change' as const)) : ('create' as const);
    return { name, action, version: before?.data.version, diff };
  }
  const saved = await saying(file, () =>
    before
      ? api.take(
          api.client.PUT('/v1/workflows/{name}', {
            params: { path: { name }, header: { 'If-Match': before.etag } },
            ...asYaml(file),
          }),
        )
      : withOneKey((key) =>
          api.take(
            api.client.POST('/v1/workflows', {
              params: { header: { 'Idempotency-Key': key } },
              ...asYaml(file),
              body: textUnder(name, file),
            }),
          ),
        ),
  );
  const action = !before
    ? ('create' as const)
    : saved.version === before.data.version
      ? ('keep' as const)
      : ('change' as const);
  return { name, action, version: saved.version, diff: action === 'keep' ? '' : diff };
}

function invalid(file: WorkflowFile, errors: { path: string; message: string }[]): ProblemError {
  const problem = {
    type: 'urn:connecta:problem:invalid_workflow',
    title: 'The workflow is not valid',
    status: 422,
    code: 'invalid_workflow',
    errors,
  };
  return new ProblemError(problem, file);
}

async function graph(text: string, format: string, { session }: CommandTools): Promise<void> {
  const isFile = text === '-' || /\.(?:ya?ml|json)$/.test(text) || existsSync(resolve(session.around.cwd, text));
  const { name, definition } = isFile ? await fileGraph(text, session) : await readVersion(session, text);
  const steps = graphOf(definition);
  const draw =
    { tree: treeText, mermaid: mermaidText, dot: (all: typeof steps) => dotText(all, name) }[format] ?? treeText;
  session.print.data(steps, () => draw(steps));
}

async function fileGraph(path: string, session: Session): Promise<{ name: string; definition: unknown }> {
  const file = await readWorkflowFile(path, session.around);
  if (!file.content) throw new UsageError(`${path} is no YAML: 'connecta workflows validate ${path}' says where.`);
  return { name: path, definition: file.content };
}
