// Completes index.d.ts after a build: classes without a constructor of their own refuse `new`, which the napi tools do not write.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './system.mjs';

const FILE = join(ROOT, 'index.d.ts');
const CLASS = /^(export declare class \w+ \{\n)(.*?^\})/gms;
const CONSTRUCTOR = /^ {2}(private )?constructor\(/m;

const types = readFileSync(FILE, 'utf8');
const complete = types.replace(CLASS, (all, head, body) =>
  CONSTRUCTOR.test(body) ? all : `${head}  private constructor()\n${body}`,
);
if (complete !== types) writeFileSync(FILE, complete);
