import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';

// Compiled code of earlier starts halves start time and idle memory. Threads find the folder in their environment.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '..', '.cache', 'compile');
enableCompileCache(process.env['NODE_COMPILE_CACHE']);

// Whoever imports node:http as a module evaluates all its exports; these three load an HTTP client that nothing here uses.
const http = process.getBuiltinModule('node:http');
for (const name of ['WebSocket', 'CloseEvent', 'MessageEvent']) delete http[name];

// What lives for the length of a start alone would make the heap grow to a size that a server at rest does not need. Under load it may.
setFlagsFromString('--semi-space-growth-factor=1');
await import('./main.ts');
setFlagsFromString('--semi-space-growth-factor=2');
globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
