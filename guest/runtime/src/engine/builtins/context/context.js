// The call that runs.

export { waitUntil } from 'hyperlight:native';
