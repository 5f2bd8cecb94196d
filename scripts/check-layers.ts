import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/**
 * Who may import whom, by folder; the longest prefix wins. A file may always import what lies in a folder that its row allows.
 * The drawing of this table is in docs/architecture.md.
 */
const allowed: Record<string, readonly string[]> = {
  'server/domain/': ['server/domain/'],
  'server/xml/': ['server/xml/', 'server/domain/'],
  'server/cda/': ['server/cda/', 'server/domain/', 'server/xml/', 'server/blobs/port.ts'],
  'server/dsg/': ['server/dsg/', 'server/domain/', 'server/xml/', 'server/blobs/port.ts'],
  'server/crypto/': ['server/crypto/', 'server/domain/'],
  'server/store/': ['server/store/', 'server/domain/'],
  'server/store/embedded/': [
    'server/store/',
    'server/domain/',
    'server/blobs/segments.ts',
    'server/blobs/files.ts',
    'server/crypto/',
  ],
  'server/blobs/': ['server/blobs/', 'server/domain/', 'server/store/port.ts', 'server/crypto/'],
  'server/sources/': ['server/sources/', 'server/domain/'],
  'server/usecases/': [
    'server/usecases/',
    'server/domain/',
    'server/store/port.ts',
    'server/store/visibility.ts',
    'server/blobs/port.ts',
    'server/crypto/keyring.ts',
    'server/sources/port.ts',
  ],
  'server/auth/': ['server/auth/', 'server/domain/', 'server/crypto/', 'server/xml/'],
  'server/xds/': [
    'server/xds/',
    'server/cda/stated-traits.ts',
    'server/dsg/',
    'server/domain/',
    'server/usecases/',
    'server/auth/credentials.ts',
    'server/xml/',
    'server/store/port.ts',
    'server/blobs/port.ts',
    'server/blobs/pieces.ts',
    'server/watch/log.ts',
    'server/watch/request-id.ts',
  ],
  'server/fhir/': [
    'server/fhir/',
    'server/dsg/',
    'server/domain/',
    'server/usecases/',
    'server/crypto/sealed-json.ts',
    'server/auth/credentials.ts',
    'server/auth/scope.ts',
    'server/xml/',
    'server/small-body.ts',
    'server/store/port.ts',
    'server/blobs/port.ts',
    'server/blobs/pieces.ts',
    'server/cda/',
    'server/watch/log.ts',
    'server/watch/request-id.ts',
    'profiles/',
  ],
  'server/oauth/': [
    'server/oauth/',
    'server/domain/',
    'server/usecases/',
    'server/auth/',
    'server/crypto/sealed-json.ts',
    'server/small-body.ts',
    'server/store/port.ts',
    'server/watch/log.ts',
    'server/watch/request-id.ts',
  ],
  'server/hl7/': [
    'server/hl7/',
    'server/domain/',
    'server/usecases/',
    'server/cda/',
    'server/store/port.ts',
    'server/blobs/port.ts',
    'server/watch/log.ts',
  ],
  'server/sandbox/': [
    'server/sandbox/',
    'server/cda/',
    'server/domain/',
    'server/usecases/',
    'server/auth/',
    'server/crypto/',
    'server/xml/',
    'server/store/port.ts',
    'server/blobs/port.ts',
    'server/sources/port.ts',
  ],
  'server/jobs/': [
    'server/jobs/',
    'server/domain/',
    'server/usecases/',
    'server/store/port.ts',
    'server/blobs/port.ts',
    'server/crypto/keyring.ts',
    'server/watch/log.ts',
  ],
  'server/watch/': ['server/watch/'],
  'server/config/': [
    'server/config/',
    'server/domain/',
    'server/usecases/perform.ts',
    'server/jobs/allow-list.ts',
    'server/auth/client.ts',
    'server/auth/issuer.ts',
    'server/crypto/distinguished-name.ts',
    'profiles/',
  ],
  'server/': ['server/', 'profiles/'],
  'scripts/': ['scripts/', 'server/', 'profiles/', 'package.json'],
  'scripts/fuzz.ts': ['scripts/', 'server/', 'test/'],
  'test/': ['test/', 'server/', 'scripts/', 'profiles/'],
};

/** Node built-ins and packages that a folder may use; folders not named may use any. */
const packages: Record<string, readonly string[]> = {
  'server/domain/': ['node:crypto'],
  'server/usecases/': [],
};

/** Settings are read in one place; the start script tells Node's own threads where compiled code is kept. */
const environmentReaders: readonly string[] = ['server/config/env.ts', 'server/start.mjs'];

/** A package that one file alone may import, so that nobody else depends on its ways. */
const soleImporter: Record<string, string> = {
  saxes: 'server/xml/read.ts',
  'node:sqlite': 'server/store/embedded/',
  '@peculiar/x509': 'server/crypto/certificate',
};

const root = resolve(import.meta.dirname, '..');
const pattern =
  /^(?:import|export)\b[^'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\)\./gm;
const files = ['server', 'scripts', 'test'].flatMap((folder) => list(join(root, folder)));
const problems: string[] = [];
const graph = new Map<string, string[]>();

for (const file of files) {
  const text = readFileSync(join(root, file), 'utf8');
  const targets: string[] = [];
  for (const match of text.matchAll(pattern)) {
    const specifier = match[1] ?? match[2] ?? match[3] ?? match[4] ?? '';
    if (specifier.startsWith('.')) {
      const target = relative(root, resolve(root, dirname(file), specifier));
      if (!existsSync(join(root, target))) problems.push(`${file}: ${specifier} does not exist`);
      else if (rowOf(allowed, file)?.some((prefix) => target.startsWith(prefix)) !== true)
        problems.push(`${file}: may not import ${target}`);
      targets.push(target);
    } else {
      const may = rowOf(packages, file);
      if (may?.includes(specifier) === false) problems.push(`${file}: may not use ${specifier}`);
      const sole = soleImporter[specifier];
      if (sole !== undefined && file.startsWith('server/') && !file.startsWith(sole))
        problems.push(`${file}: ${specifier} belongs to ${sole}`);
    }
  }
  if (file.startsWith('server/') && !environmentReaders.includes(file) && text.includes('process.env'))
    problems.push(`${file}: process.env is read in server/config/env.ts alone`);
  graph.set(file, targets);
}
for (const cycle of cycles()) problems.push(`cycle: ${cycle.join(' → ')}`);

if (problems.length > 0) {
  process.stderr.write(`${problems.join('\n')}\n`);
  process.exit(1);
}
process.stdout.write(`layers: ${files.length} files in their places\n`);

function list(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|js)$/.test(entry.name) && entry.name !== 'fix-lock.mjs')
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

function rowOf<T>(table: Record<string, T>, file: string): T | undefined {
  let best = '';
  for (const prefix of Object.keys(table)) if (file.startsWith(prefix) && prefix.length > best.length) best = prefix;
  return table[best];
}

function cycles(): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string) => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) visit(file);
  return found;
}
