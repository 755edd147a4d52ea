import { test } from 'node:test';
import { checkSmoke } from './sandbox';

test('the smoke check passes on this Node.js', () => checkSmoke(process.execPath, process.versions.node));
