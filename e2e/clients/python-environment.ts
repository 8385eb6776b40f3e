import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const cache = join(import.meta.dirname, '../../node_modules/.cache')

export type PythonEnvironment = { python: string } | { missing: string }

/**
 * A virtual environment with the packages of a requirements file, made once for each content of that file. Without
 * Python or a package index it says what is missing; on a build server that is an error.
 */
export function pythonEnvironment(requirements: string): PythonEnvironment {
  const environment = findOrMake(requirements)
  if ('missing' in environment && process.env['CI'] === 'true') throw new Error(environment.missing)
  return environment
}

function findOrMake(requirements: string): PythonEnvironment {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 16)
  const folder = join(cache, `pave-python-${digest}`)
  const python = join(folder, 'bin', 'python')
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return { python }
  mkdirSync(cache, { recursive: true })
  rmSync(folder, { recursive: true, force: true })
  const failure =
    run('python3', ['-m', 'venv', folder]) ??
    run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
  if (failure !== undefined) return { missing: failure }
  writeFileSync(complete, '')
  return { python }
}

/** What went wrong, in one line. */
function run(command: string, args: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 600_000 })
  if (error !== undefined) return `${command}: ${error.message}`
  if (status === 0) return undefined
  return `${command} ${args.slice(0, 3).join(' ')}: ${stderr.trim().split('\n').at(-1)}`
}
