export { ToolInputError } from './check.js';
export { describe } from './describe.js';
