// Plain JavaScript for whatever Node and npm a new machine has: installs what is missing, then hands over to Node 24.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from './find-node.mjs'

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

installWhatIsMissing()
await runProgram(join(root, program), args)
