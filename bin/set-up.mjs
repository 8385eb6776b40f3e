// Plain JavaScript for whatever Node and npm a new machine has: installs what is missing, then hands over to Node 24.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [program, ...args] = process.argv.slice(2)

/** The lock file's digest tells whether what is installed is what the checkout wants. */
function installWhatIsMissing() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const marker = join(root, 'node_modules', '.pave-installed')
  if (existsSync(marker) && readFileSync(marker, 'utf8') === wanted) return
  console.error('Installing dependencies (npm ci), about a minute the first time …')
  const npm = process.env.npm_execpath
  const [command, prefix] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []]
  const installed = spawnSync(
    command,
    [...prefix, 'ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, NODE_ENV: 'development' },
    },
  )
  if (installed.status !== 0) {
    console.error('npm ci failed; its messages are above. Mend the network or the registry settings and start again.')
    process.exit(1)
  }
  writeFileSync(marker, wanted)
}

/** Node 24.15 or newer strips types by itself; an older one uses the binary that was installed as a dependency. */
function findNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath
  const bundled = join(root, 'node_modules', '.bin', 'node')
  if (existsSync(bundled)) return bundled
  console.error(`Pave needs Node 24.15 or newer; this is ${process.version}, and no binary for this system is bundled.`)
  process.exit(1)
}

installWhatIsMissing()
const child = spawn(findNode(), [join(root, program), ...args], { stdio: 'inherit', env: process.env })
// A terminal's Ctrl-C reaches the child by itself; this process only waits for it to end in its own way.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => signal === 'SIGTERM' && child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))
