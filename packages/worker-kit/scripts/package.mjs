/**
 * `prepack` and `postpack` of the worker kit. Node does not strip types below node_modules, and the kit's workspaces are
 * private: what is packed is JavaScript with declarations, the workspaces it stands on inside of it, and the migrations
 * of a worker's database. package.json is replaced while npm packs and put back then.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stripTypeScriptTypes } from 'node:module';

const kit = join(import.meta.dirname, '..');
const root = join(kit, '../..');
const dist = join(kit, 'dist');
const manifest = join(kit, 'package.json');
const kept = join(kit, 'package.json.unpacked');
/** The workspaces that are packed along, the kit itself last. */
const bundled = ['contracts', 'runtime', 'queue', 'blobs', 'worker-kit'];

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Imports of other packed workspaces and of TypeScript files, as they are in the packed tree. */
function rewrite(text, file) {
  const place = dirname(file);
  return text
    .replaceAll(/(['"])@connecta\/([a-z-]+)\1/g, (found, quote, name) => {
      if (!bundled.includes(name)) return found;
      const target = relative(place, join(dist, name, 'src/index.js'));
      return `${quote}${target.startsWith('.') ? target : `./${target}`}${quote}`;
    })
    .replaceAll(/(['"])(\.{1,2}\/[^'"\n]*?)(\.d)?\.ts\1/g, '$1$2.js$1');
}

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}

function packJavaScript() {
  for (const name of bundled) {
    const source = join(root, 'packages', name);
    for (const folder of ['src', 'openapi', 'asyncapi', 'schemas']) {
      if (!existsSync(join(source, folder))) continue;
      for (const path of filesBelow(join(source, folder))) {
        if (path.endsWith('.test.ts')) continue;
        const target = join(dist, name, relative(source, path));
        mkdirSync(dirname(target), { recursive: true });
        if (path.endsWith('.d.ts') || !path.endsWith('.ts')) cpSync(path, target);
        else {
          const code = stripTypeScriptTypes(readFileSync(path, 'utf8'), { mode: 'strip' });
          writeFileSync(target.replace(/\.ts$/, '.js'), rewrite(code, target));
        }
      }
    }
  }
}

/** The declarations: by the compiler, whose output lies as the sources do. */
function packDeclarations() {
  const folder = join(dist, '.types');
  const options = [
    '--declaration',
    '--emitDeclarationOnly',
    '--noEmit',
    'false',
    '--outDir',
    folder,
    '--rootDir',
    join(root, 'packages'),
  ];
  const config = join(kit, 'tsconfig.pack.json');
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config, ...options], {
    stdio: 'inherit',
  });
  for (const path of filesBelow(folder)) {
    const target = join(dist, relative(folder, path));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, rewrite(readFileSync(path, 'utf8'), target));
  }
  rmSync(folder, { recursive: true });
}

function packManifest() {
  const own = read(manifest);
  const dependencies = {};
  for (const name of bundled) {
    for (const [dependency, version] of Object.entries(
      read(join(root, 'packages', name, 'package.json')).dependencies,
    )) {
      if (!dependency.startsWith('@connecta/')) dependencies[dependency] = version;
    }
  }
  renameSync(manifest, kept);
  const types = './dist/worker-kit/src/index.d.ts';
  const { name, version } = own;
  const packed = {
    ...{ name, version, type: 'module', license: 'UNLICENSED', engines: { node: '>=22' } },
    exports: {
      '.': { types, default: './dist/worker-kit/src/index.js' },
      './contracts': { types: './dist/contracts/src/index.d.ts', default: './dist/contracts/src/index.js' },
      './runtime': { types: './dist/runtime/src/index.d.ts', default: './dist/runtime/src/index.js' },
      './migrations/*': './dist/migrations/*',
    },
    files: ['dist'],
    dependencies: Object.fromEntries(Object.entries(dependencies).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
  writeFileSync(manifest, `${JSON.stringify(packed, null, 2)}\n`);
}

const putBack = () => existsSync(kept) && renameSync(kept, manifest);

putBack();
rmSync(dist, { recursive: true, force: true });
if (process.argv[2] === 'pack') {
  packJavaScript();
  packDeclarations();
  cpSync(join(root, 'prisma/worker/migrations'), join(dist, 'migrations'), { recursive: true });
  packManifest();
}
