import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises'
import { delimiter, dirname, join, matchesGlob } from 'node:path'
import { promisify } from 'node:util'
import { inheritedEnvironment } from '#platform/config.ts'
import { newShell } from './pack.ts'
import { readAssignments, readWords, type Stage } from './read-dockerfile.ts'

/** What a Dockerfile makes: a root directory, and how its program is run in it. */
export interface Image {
  root: string
  env: Record<string, string>
  user: string
  directory: string
  entrypoint: string[]
  command: string[]
  healthcheck: string[]
  labels: Record<string, string>
}

const execute = promisify(execFile)
/** What of this system's settings a base image has too. */
const settings = ['passwd', 'group', 'shadow', 'gshadow', 'login.defs', 'default', 'nsswitch.conf', 'hosts']
const network = ['resolv.conf', 'ssl/certs', 'ca-certificates.conf', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d']

/**
 * Does what `docker build` would, without its engine: this system's programs, read-only, stand in for the base image, with
 * the Node and npm of these tests where the image has its own. A typo in a command, a path or a variable fails here; what
 * only the base image lacks does not.
 */
export async function replayDockerfile(stages: readonly Stage[], context: string, folder: string): Promise<Image> {
  const roots = new Map<string, string>()
  let image: Image | undefined
  for (const stage of stages) {
    const root = join(folder, `stage-${stage.name}`)
    await makeBase(root)
    roots.set(stage.name, root)
    image = await replayStage(stage, { root, roots, context })
  }
  if (image === undefined) throw new Error('The Dockerfile has no stage')
  return image
}

async function replayStage(
  stage: Stage,
  { root, roots, context }: { root: string; roots: Map<string, string>; context: string },
): Promise<Image> {
  const path = ['local/sbin', 'local/bin', 'sbin', 'bin'].map((place) => `/usr/${place}`).join(delimiter)
  const image: Image = {
    root,
    env: { PATH: path, HOME: '/root' },
    user: '0:0',
    directory: '/',
    entrypoint: [],
    command: [],
    healthcheck: [],
    labels: {},
  }
  const inRoot = (path: string) => join(root, path.startsWith('/') ? path : join(image.directory, path))
  for (const { line, name, flags, value } of stage.instructions) {
    const [from = '', to = ''] = value.split(/\s+/)
    if (name === 'RUN') {
      await run(image, ['/bin/sh', '-c', value]).catch((error: unknown) => {
        throw new Error(`line ${line}: ${error instanceof Error ? error.message : String(error)}`)
      })
    } else if (name === 'COPY') {
      const source = flags.from === undefined ? context : (roots.get(flags.from) ?? '')
      const [found, ...more] = flags.from === undefined ? await matching(source, from) : [join(source, from)]
      if (found === undefined || more.length > 0) throw new Error(`line ${line}: ${from} is not one file`)
      await cp(found, inRoot(to), { recursive: true, verbatimSymlinks: true })
    } else if (name === 'WORKDIR') {
      image.directory = value
      await mkdir(inRoot(value), { recursive: true })
    } else if (name === 'ENV') Object.assign(image.env, readAssignments(value, image.env))
    else if (name === 'LABEL') Object.assign(image.labels, readAssignments(value, image.env))
    else if (name === 'USER') image.user = value
    else if (name === 'ENTRYPOINT') image.entrypoint = readWords(value)
    else if (name === 'CMD') image.command = readWords(value)
    else if (name === 'HEALTHCHECK') image.healthcheck = readWords(value.replace(/^CMD\s+/, ''))
    else if (name === 'VOLUME') await stat(inRoot(value))
    else if (name !== 'EXPOSE') throw new Error(`line ${line}: ${name} is not replayed`)
  }
  return image
}

async function matching(folder: string, pattern: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => matchesGlob(name, pattern)).map((name) => join(folder, name))
}

/** Directories of its own, but for the programs of /usr, which are mounted when something runs. */
async function makeBase(root: string): Promise<void> {
  for (const folder of ['dev', 'etc', 'opt', 'proc', 'root', 'tmp', 'usr', 'var/lib', 'local/bin', 'local/lib']) {
    await mkdir(join(root, folder), { recursive: true })
  }
  await chmod(join(root, 'tmp'), 0o1777)
  for (const folder of ['bin', 'lib', 'lib64', 'sbin']) await symlink(`usr/${folder}`, join(root, folder))
  for (const name of [...settings, ...network]) {
    const there = await stat(join('/etc', name)).catch(() => undefined)
    if (there !== undefined) await cp(join('/etc', name), join(root, 'etc', name), { recursive: true })
  }
  await cp(process.execPath, join(root, 'local/bin/node'))
  // A copy: what an image removes of its npm must not be this machine's.
  const { stdout } = await execute('sh', ['-c', 'command -v npm'], { env: inheritedEnvironment() })
  const npm = dirname(dirname(await realpath(stdout.trim())))
  await cp(npm, join(root, 'local/lib/node_modules/npm'), { recursive: true, dereference: true })
  await symlink('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'local/bin/npm'))
}

const mounts = `
  mount --bind /usr "$0/usr" && mount -o remount,bind,ro "$0/usr" && mount --bind "$0/local" "$0/usr/local" &&
  mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$@"
`

/** The program and the arguments that run something in the image as its user, with mounts that end with it. */
export function inImage(image: Image, words: readonly string[], more: Record<string, string> = {}): [string, string[]] {
  const { root, user, directory, env } = image
  const variables = Object.entries({ ...env, ...more }).map(([name, value]) => `${name}=${value}`)
  const change = ['sh', '-c', 'cd "$0" && exec "$@"', directory]
  const chroot = [`--userspec=${user}`, root, 'env', '-i', ...variables, ...change, ...words]
  return ['unshare', ['--mount', 'sh', '-c', mounts, root, ...chroot]]
}

export async function run(image: Image, words: readonly string[], more: Record<string, string> = {}) {
  // Where a proxy stands before the registry, this machine knows who vouches for it.
  const { NODE_EXTRA_CA_CERTS } = newShell
  const trust = NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS }
  return execute(...inImage(image, words, { ...trust, ...more }), { maxBuffer: 8_000_000 })
}
