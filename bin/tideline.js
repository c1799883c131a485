#!/usr/bin/env -S node --single-threaded-gc
import { existsSync } from 'node:fs';

const main = new URL('../services/cli/dist/main.js', import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  process.stderr.write(
    "Tideline is not compiled yet: run 'npm start' (or 'npm install && npm run build') in its folder first.\n",
  );
  process.exitCode = 69;
}
