#!/usr/bin/env node
// `hyperlight-js bundle`, `push` and `pull`, which end up here.
import { run } from '../lib/commands.js';

process.exitCode = await run(process.argv.slice(2));
