// Plain JavaScript for whatever Node a machine has: finds Node 24 and hands over to it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

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

/** Runs a program with Node 24 in place of this process. */
export function runProgram(program, args) {
  const child = spawn(findNode(), [program, ...args], { stdio: 'inherit', env: process.env })
  // A terminal's Ctrl-C reaches the child by itself; this process only waits for it to end in its own way.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
}
