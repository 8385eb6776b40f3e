import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import type { TestProject } from 'vitest/node'
import { openDataDirectory } from '#platform/data-directory.ts'
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '#platform/storage/database/embedded/start-embedded-postgres.ts'

/** One PostgreSQL for the whole run, started when the first test asks for it. */
export default async function globalSetup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await openDataDirectory(await mkdtemp(join(tmpdir(), 'pave-tests-')), { command: 'npm test' })
  let postgres: Promise<EmbeddedPostgres> | undefined
  const socketPath = join(directory.runDir, 'tests.sock')
  const answering = createServer((asking) => {
    asking.on('error', () => {})
    postgres ??= startPostgres(directory.path)
    postgres.then(
      (started) => asking.end(started.superuserUrl('postgres')),
      (error) => asking.end(String(error)),
    )
  })
  answering.listen(socketPath)
  project.provide('postgresSocket', socketPath)
  return async () => {
    answering.close()
    await (await postgres?.catch(() => undefined))?.stop()
    await directory.release()
    await rm(directory.path, { recursive: true, force: true })
  }
}

/** Fast rather than safe: nothing in it has to survive the run. */
function startPostgres(dataDir: string): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({
    dataDir,
    log: pino({ level: 'warn' }, pino.destination(2)),
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      max_connections: '200',
    },
  })
}
