import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { inheritedEnvironment } from '#platform/config.ts'
import { eventually } from '../support/wait.ts'
import { freePort, type OutsideProgram, outsideProgram, type Running, required, start } from './outside-program.ts'

// An S3 server in Go under the Apache licence. It keeps objects as files, and honours checksums, conditional writes and
// multipart uploads.
const version = 'v1.8.0'
const cache = join(import.meta.dirname, '../../node_modules/.cache')

/** The server, built once by the Go of the machine, which takes a few minutes. */
export function versitygw(): OutsideProgram {
  const folder = join(cache, `versitygw-${version}`)
  const path = join(folder, 'versitygw')
  if (existsSync(path)) return { path }
  const go = outsideProgram('go', '/usr/local/go/bin')
  if ('missing' in go) return go
  mkdirSync(folder, { recursive: true })
  const env = { ...inheritedEnvironment(), GOBIN: folder, CGO_ENABLED: '0' }
  const target = `github.com/versity/versitygw/cmd/versitygw@${version}`
  const built = spawnSync(go.path, ['install', target], { env, encoding: 'utf8', timeout: 1_200_000 })
  if (built.error === undefined && built.status === 0) return { path }
  const reason = built.error?.message ?? built.stderr.trim().split('\n').at(-1)
  return required({ missing: `versitygw cannot be built: ${reason}` })
}

export const credentials = { AWS_ACCESS_KEY_ID: 'pave-test', AWS_SECRET_ACCESS_KEY: 'pave-test-secret' }

export interface S3Server {
  endpoint: string
  /** Its files: `bucket/key`. */
  directory: string
  process: Running
  /** The same server again, after it was killed. */
  restart(): Promise<void>
}

/** A server of the test's own with one bucket, `objects`. */
export async function startVersitygw(
  path: string,
  cleanUp: (work: () => Promise<void>) => void = onTestFinished,
): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'pave-versitygw-'))
  cleanUp(() => rm(directory, { recursive: true, force: true }))
  for (const name of ['data', 'data/objects', 'meta']) await mkdir(join(directory, name))
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const env = {
    ...inheritedEnvironment(),
    ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID,
    ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY,
  }
  const data = join(directory, 'data')
  // Beside the files, as not every file system has extended attributes.
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', '--health', '/health']
  const run = async () => {
    const running = start(path, [...args, 'posix', '--sidecar', join(directory, 'meta'), data], env, cleanUp)
    await eventually(async () => {
      if (running.child.exitCode !== null) throw new Error(`versitygw ended: ${running.said()}`)
      return (await fetch(`${endpoint}/health`).catch(() => undefined))?.ok
    })
    return running
  }
  const server = {
    endpoint,
    directory: data,
    process: await run(),
    async restart() {
      server.process = await run()
    },
  }
  return server
}
