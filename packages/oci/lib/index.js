export { bundleFunction } from './bundle.js';
export { parseReference } from './reference.js';
export { download, open, pull, push, resolve } from './transfer.js';
