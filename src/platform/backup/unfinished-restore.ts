import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { startupFailure } from '../startup-error.ts'
import { sessionOf } from '../storage/database/database.ts'

/** Stands in a data directory from before anything is restored into it until everything is. */
export const unfinishedRestoreFile = (dataDir: string): string => join(dataDir, 'restore-unfinished')

/** The same for a database: a schema, whose table says what is being restored. */
export const unfinishedRestoreSchema = 'pave_restore'

const hint =
  'Run `pave restore BACKUP --force` to begin again in the same place, or remove the data directory and the database and restore into new ones.'

export async function isUnfinishedDirectory(dataDir: string): Promise<boolean> {
  return (await stat(unfinishedRestoreFile(dataDir)).catch(() => undefined)) !== undefined
}

/** @throws `restore_unfinished` */
export async function refuseUnfinishedDirectory(dataDir: string): Promise<void> {
  if (!(await isUnfinishedDirectory(dataDir))) return
  throw startupFailure('restore_unfinished', `A restore into ${dataDir} was cut short`, { hint })
}

export async function isUnfinishedDatabase(client: Pick<pg.ClientBase, 'query'>): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>('select to_regnamespace($1) is not null as found', [
    unfinishedRestoreSchema,
  ])
  return rows[0]?.found === true
}

/** @throws `restore_unfinished` */
export async function refuseUnfinishedDatabase(url: string): Promise<void> {
  const client = new pg.Client(sessionOf(url, undefined))
  client.on('error', () => {})
  await client.connect()
  try {
    if (!(await isUnfinishedDatabase(client))) return
  } finally {
    await client.end()
  }
  throw startupFailure('restore_unfinished', 'A restore into the database was cut short', { hint })
}
