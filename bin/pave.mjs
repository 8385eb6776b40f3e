#!/usr/bin/env node
// The `pave` command: of the installed package, whose types were stripped when it was packed, or of a checkout.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stripped = join(root, 'dist', 'package')
const args = process.argv.slice(2)
const program = args[0] === 'demo' ? 'demo/run-demo' : 'src/cli'
if (args[0] === 'demo') args.shift()

if (existsSync(join(root, 'src'))) {
  process.argv.splice(2, Number.POSITIVE_INFINITY, `${program}.ts`, ...args)
  await import('./set-up.mjs')
} else {
  const { runProgram } = await import('./find-node.mjs')
  await runProgram(join(stripped, `${program}.js`), args)
}
