import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const set = (flags) => {
  for (const flag of flags) setFlagsFromString(`--${flag}`);
};

// What lives for the length of a start alone would make the heap grow to a size that a server at rest does not need, and code that
// runs once is not worth the compilers, which are megabytes of machine code. Compiled code is kept for these very flags: they come first.
set(['expose-gc', 'no-opt', 'no-maglev', 'no-sparkplug', 'semi-space-growth-factor=1']);

// Compiled code of earlier starts halves start time and idle memory. Threads find the folder in their environment.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '..', '.cache', 'compile');
enableCompileCache(process.env['NODE_COMPILE_CACHE']);

// Whoever imports node:http as a module evaluates all its exports; these three load an HTTP client that nothing here uses.
const http = process.getBuiltinModule('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) delete http[name];

await import('./main.ts');
const collect = runInNewContext('gc');
set(['no-expose-gc', 'opt', 'maglev', 'sparkplug', 'semi-space-growth-factor=2']);
collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
