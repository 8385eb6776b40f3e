import { constants } from 'node:fs'
import { chmod, chown, copyFile, cp, link, mkdir, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packBundle, unpackBundle } from './bundle.ts'
import { computeFailure, type StepSpec } from './compute.ts'
import { type StepPaths, stepEnvironment, stepFile } from './step-contract.ts'

/** The files of one attempt. Only `work` belongs to the step; the rest, beside `log`, is closed to it. */
export interface AttemptPaths {
  directory: string
  /** What Pave must know to judge the end: written first. */
  record: string
  /** The pid of the supervisor, written by itself; taken beforehand, it forbids the step to start. */
  supervisor: string
  log: string
  /** Times and exit code, written by the supervisor. */
  exit: string
  /** Why Pave is ending it, written before the first signal. */
  stop: string
  result: string
  work: string
  outputs: string
}

export function attemptPaths(directory: string): AttemptPaths {
  const work = join(directory, 'work')
  return {
    directory,
    record: join(directory, 'record.json'),
    supervisor: join(directory, 'supervisor'),
    log: join(directory, 'log'),
    exit: join(directory, 'exit'),
    stop: join(directory, 'stop.json'),
    result: join(directory, 'result.json'),
    work,
    outputs: join(work, 'outputs'),
  }
}

export interface Preparation {
  /** Whom `work` is given to; undefined leaves it ours. */
  owner: number | undefined
  searchPath: string
  /** Whether the step cannot change a file that it may only read: then inputs are linked, otherwise copied. */
  linkInputs: boolean
  limitProcesses: boolean
  environment: string | undefined
  /** Authorities in PEM that the step's programs are to trust; undefined leaves them to their own. */
  trustBundle: string | undefined
}

/** Lays out everything that the step needs, down to `run.sh`, which starts it. */
export async function prepareAttempt(spec: StepSpec, at: AttemptPaths, how: Preparation): Promise<void> {
  const { owner } = how
  await writeFile(at.log, '', { mode: 0o600 })
  if (owner !== undefined) await chown(at.log, owner, owner)
  await mkdir(at.work, { mode: 0o700 })
  const paths: StepPaths = {
    inputs: placed(Object.keys(spec.inputs), join(at.work, 'inputs')),
    outputs: placed(spec.outputs, at.outputs),
    stepFile: join(at.work, 'step.json'),
    home: join(at.work, 'home'),
    temp: join(at.work, 'tmp'),
    environment: how.environment,
    authorities: how.trustBundle === undefined ? undefined : join(at.work, 'authorities.pem'),
  }
  const code = join(at.work, 'code')
  await Promise.all([at.outputs, paths.home, paths.temp].map((path) => mkdir(path, { mode: 0o700 })))
  await unpackBundle('bundle' in spec.code ? spec.code.bundle : (await packBundle(spec.code.directory)).bytes, code)
  await writeFile(paths.stepFile, stepFile(spec, paths), { mode: 0o400 })
  if (how.trustBundle !== undefined) await copyFile(how.trustBundle, join(at.work, 'authorities.pem'))
  const environment = stepEnvironment(spec, paths, how.searchPath)
  await writeFile(join(at.work, 'run.sh'), runScript(spec, environment, code, how.limitProcesses), { mode: 0o400 })
  if (owner !== undefined) await giveTree(at.work, owner)
  await mkdir(join(at.work, 'inputs'))
  if (owner !== undefined) await chmod(join(at.work, 'inputs'), 0o755)
  for (const [name, source] of Object.entries(spec.inputs)) {
    const target = paths.inputs[name]
    if (target !== undefined) await placeInput(name, source, target, how)
  }
}

/** The limits here hold while Pave is away; the exact ones are watched by Pave (see limits.ts). */
function runScript(spec: StepSpec, env: Record<string, string>, code: string, limitProcesses: boolean): string {
  const { memoryMb, diskMb, cpuSeconds, processes } = spec.resources
  const words = typeof spec.command === 'string' ? ['sh', '-c', spec.command] : spec.command
  return [
    'umask 077',
    'ulimit -c 0',
    // In blocks of 512 bytes.
    `ulimit -f ${diskMb * 2048}`,
    // Virtual memory that may be written, of one process: generous, because much of it is never touched.
    `ulimit -d ${(2 * memoryMb + 1024) * 1024}`,
    ...(cpuSeconds === undefined ? [] : [`ulimit -S -t ${cpuSeconds}`, `ulimit -H -t ${cpuSeconds + 5}`]),
    // The kernel counts threads, and for all attempts of the uid together. Shells disagree on the option.
    ...(limitProcesses ? [`{ ulimit -u ${4096 + processes} || ulimit -p ${4096 + processes}; } 2>/dev/null`] : []),
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    `cd ${quoted(code)} || exit 126`,
    // `exec` takes programs only; without it the shell would run its own `test`, `kill` or `exit`.
    `(exec ${words.map(quoted).join(' ')})`,
    'exit $?',
    '',
  ].join('\n')
}

async function placeInput(name: string, source: string, target: string, how: Preparation): Promise<void> {
  const path = await realpath(source).catch(() => undefined)
  if (path === undefined)
    throw computeFailure('invalid_step', `Input ${JSON.stringify(name)} does not exist at ${source}`)
  const found = await stat(path)
  if (found.isDirectory()) {
    await cp(path, target, { recursive: true })
    await openTree(target)
    return
  }
  const mayLink = how.linkInputs && (found.mode & 0o004) !== 0
  if (mayLink && (await linked(path, target))) return
  await copyFile(path, target, constants.COPYFILE_FICLONE)
  await chmod(target, 0o444)
}

async function linked(path: string, target: string): Promise<boolean> {
  return link(path, target).then(
    () => true,
    () => false,
  )
}

async function openTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name)
    if (entry.isDirectory()) await openTree(child)
    else if (entry.isFile()) await chmod(child, 0o444)
    else await rm(child)
  }
  await chmod(path, 0o755)
}

async function giveTree(path: string, owner: number): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true })
  await Promise.all(
    entries.map((entry) => {
      const child = join(path, entry.name)
      return entry.isDirectory() ? giveTree(child, owner) : chown(child, owner, owner)
    }),
  )
  await chown(path, owner, owner)
}

function placed(names: readonly string[], directory: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, join(directory, name)]))
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}
