import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PoolClient } from 'pg'
import { openDataDirectory } from '../data-directory.ts'
import type { LedgerReport } from '../ledger/audit.ts'
import { keyFiles, loadVerifierKey } from '../ledger/signing-key.ts'
import { verifyLedger } from '../ledger/verify.ts'
import { openPool } from '../storage/database/database.ts'
import { countRows } from './load-database.ts'
import type { Manifest } from './manifest.ts'
import { type RestoreOptions, restoreBackup } from './restore-backup.ts'

export interface DrillReport {
  backup: string
  takenAt: string
  seconds: number
  rows: number
  tables: number
  objects: number
  ledger: Pick<LedgerReport, 'entries' | 'verified' | 'checkpoints' | 'statements'>
  problems: string[]
}

/** A scratch data directory with a PostgreSQL of its own. */
export interface Scratch {
  start(dataDir: string): Promise<string>
  stop(): Promise<void>
}

/**
 * Restores a backup for trial, into a new directory below `tempDir` that is removed again: reads every byte of it, and
 * verifies the database that came of it, with the ledger from leaf 0. Objects are read where they lie. Nothing runs on
 * it: no job, no node.
 *
 * @throws what `restoreBackup` throws
 */
export async function drill(
  options: Omit<RestoreOptions, 'dataDir' | 'checkpointsFile' | 'database' | 'objects' | 'force' | 'onlineUrl'> & {
    tempDir: string
    scratch: Scratch
  },
): Promise<DrillReport> {
  const { clock, scratch, tempDir, onProgress } = options
  const startedAt = clock.now()
  const dataDir = await mkdtemp(join(tempDir, 'pave-drill-'))
  const held = await openDataDirectory(dataDir, { command: 'pave restore --drill', restoring: true })
  try {
    const checkpointsFile = join(dataDir, 'ledger', 'checkpoints')
    let url = ''
    const { manifest } = await restoreBackup({
      ...options,
      dataDir,
      checkpointsFile,
      force: false,
      objects: undefined,
      onlineUrl: `lmdb://${join(dataDir, 'online')}`,
      database: async () => {
        url = await scratch.start(dataDir)
        return url
      },
    })
    onProgress('checking what was restored')
    const ledger = await verifyRestored(url, dataDir, checkpointsFile)
    const problems = [...manifest.problems, ...ledger.problems, ...(await miscounted(url, manifest))]
    return {
      backup: manifest.backup,
      takenAt: manifest.startedAt,
      seconds: Math.round((clock.now() - startedAt) / 100) / 10,
      rows: manifest.tables.reduce((sum, { rows }) => sum + rows, 0),
      tables: manifest.tables.length,
      objects: manifest.objects.count,
      ledger: {
        entries: ledger.entries,
        verified: ledger.verified,
        checkpoints: ledger.checkpoints,
        statements: ledger.statements,
      },
      problems,
    }
  } finally {
    await scratch.stop()
    await held.release()
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function verifyRestored(url: string, dataDir: string, checkpointsFile: string): Promise<LedgerReport> {
  return withClient(url, 'pave_system', async (client) =>
    verifyLedger({ client, checkpointsFile, publicKey: await loadVerifierKey(keyFiles(dataDir).publicFile) }),
  )
}

/** Rows as the database counts them; the restore itself added its entry for each workspace, and sealed what was not. */
async function miscounted(url: string, manifest: Manifest): Promise<string[]> {
  const counts = await withClient(url, 'pave_owner', (client) => countRows(client, manifest))
  return manifest.tables.flatMap(({ schema, table, rows }) => {
    const name = `${schema}.${table}`
    const found = counts.get(name) ?? 0
    const same = schema === 'ledger' ? found >= rows : found === rows
    return same ? [] : [`${name} has ${found} rows, ${rows} were written`]
  })
}

async function withClient<T>(
  url: string,
  role: 'pave_owner' | 'pave_system',
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const pool = openPool(url, role, { max: 1, onError: () => {}, applicationName: 'pave drill' })
  try {
    const client = await pool.connect()
    try {
      return await work(client)
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}
