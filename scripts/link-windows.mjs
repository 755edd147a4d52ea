// Compiles and links the addon for Windows on another system, with MinGW-w64. What is published is built on Windows, with MSVC; this
// shows without such a machine that it compiles, and that nothing is missing when it is linked.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPackages, output, ROOT, run, say, stop } from './system.mjs';

const TARGET = 'x86_64-pc-windows-gnu';

installPackages(
  { 'x86_64-w64-mingw32-gcc': ['gcc-mingw-w64-x86-64'] },
  { Fedora: 'dnf install mingw64-gcc', Alpine: 'apk add mingw-w64-gcc' },
);
run('rustup', ['target', 'add', TARGET]);
// The build of the napi crate asks for Node.js' library, of which nothing is used: the addon finds the functions when it is loaded.
const folder = join(ROOT, 'target', 'libnode');
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'empty.c'), '__declspec(dllexport) void nothing(void) {}\n');
run('x86_64-w64-mingw32-gcc', ['-shared', '-o', join(folder, 'libnode.dll'), join(folder, 'empty.c')]);
run('cargo', ['build', '--lib', '--locked', '--target', TARGET], {
  env: { ...process.env, LIBNODE_PATH: folder },
});
const library = join(ROOT, 'target', TARGET, 'debug', 'hyperlight_js.dll');
if (!existsSync(library)) stop(`there is no ${library}`);
const headers =
  output('x86_64-w64-mingw32-objdump', ['--private-headers', library], { maxBuffer: 1 << 30 }) ??
  stop('objdump cannot read it');
if (!headers.includes('napi_register_module_v1')) stop(`${library} is no addon: it has no napi_register_module_v1`);
say(`linked for Windows: ${library}`);
