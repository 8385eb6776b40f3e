// Plain JavaScript for whatever Node a machine has: finds Node 24 and hands over to it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Node 24.15 or newer is what Pave runs on; an older one starts the binary that was installed as a dependency. */
function findNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath
  try {
    const name = `node-${process.platform}-${process.arch}`
    const bundled = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node')
    if (existsSync(bundled)) return bundled
  } catch {
    // No binary is made for this system.
  }
  console.error(`Pave needs Node 24.15 or newer; this is ${process.version}, and no binary for this system is bundled.`)
  process.exit(1)
}

/** Runs a program in this process when its Node will do, which keeps one process for signals to reach, and else in a child. */
export async function runProgram(program, args) {
  const node = findNode()
  if (node === process.execPath) {
    process.argv.splice(1, Number.POSITIVE_INFINITY, program, ...args)
    await import(pathToFileURL(program).href)
    return
  }
  const child = spawn(node, [program, ...args], { stdio: 'inherit', env: process.env })
  // A terminal's Ctrl-C reaches the child by itself; this process only waits for it to end in its own way.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
