export { bundleFunction } from './bundle.js';
export { parseReference } from './reference.js';
export { checkRegistry, download, open, pull, push, resolve } from './transfer.js';
