#!/usr/bin/env node
// The `pave` command of a checkout; the same set-up as every npm script.
process.argv.splice(2, 0, 'src/cli.ts')
await import('./set-up.mjs')
