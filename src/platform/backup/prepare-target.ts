import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientBase } from 'pg'
import { escapeIdentifier } from 'pg'
import { backupFailure } from './errors.ts'
import {
  isUnfinishedDatabase,
  isUnfinishedDirectory,
  unfinishedRestoreFile,
  unfinishedRestoreSchema,
} from './unfinished-restore.ts'

/** What opening a data directory leaves in it. */
const harmless = ['lock', 'run']

/**
 * Refuses a data directory that holds anything. `force` clears what an unfinished restore left in it, and nothing else.
 *
 * @throws `restore_target_not_empty`
 */
export async function requireEmptyDirectory(dataDir: string, force: boolean): Promise<void> {
  const found = (await readdir(dataDir).catch(() => [])).filter((name) => !harmless.includes(name))
  if (found.length === 0) return
  if (!(await isUnfinishedDirectory(dataDir))) {
    throw backupFailure('restore_target_not_empty', `${dataDir} is not empty: it holds ${found.slice(0, 5).join(', ')}`)
  }
  if (!force) {
    throw backupFailure(
      'restore_target_not_empty',
      `${dataDir} holds what an earlier restore left when it was cut short`,
      {
        hint: 'Give --force to clear it and begin again.',
      },
    )
  }
}

/** Marks the directory, then clears it of all but the mark: a kill in the middle leaves it marked. */
export async function claimDirectory(dataDir: string, backup: string): Promise<void> {
  const mark = unfinishedRestoreFile(dataDir)
  await writeFile(mark, `${backup}\n`, { flush: true })
  for (const name of await readdir(dataDir)) {
    const path = join(dataDir, name)
    if (path !== mark && !harmless.includes(name)) await rm(path, { recursive: true, force: true })
  }
}

/** @throws `restore_target_not_empty` */
export async function claimDatabase(client: ClientBase, backup: string, force: boolean): Promise<void> {
  if (await isUnfinishedDatabase(client)) {
    if (!force) {
      throw backupFailure(
        'restore_target_not_empty',
        'The database holds what an earlier restore left when it was cut short',
        {
          hint: 'Give --force to clear it and begin again.',
        },
      )
    }
    for (const schema of await ownSchemas(client)) await client.query(`drop schema ${escapeIdentifier(schema)} cascade`)
  }
  const { rows } = await client.query<{ name: string }>(
    `select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'S') and n.nspname not in ('pg_catalog', 'information_schema', $1)
       and n.nspname not like 'pg\\_toast%' and n.nspname not like 'pg\\_temp%'
       and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
     order by 1 limit 5`,
    [unfinishedRestoreSchema],
  )
  if (rows.length > 0) {
    throw backupFailure(
      'restore_target_not_empty',
      `The database is not empty: it holds ${rows.map(({ name }) => name).join(', ')}`,
    )
  }
  const mark = escapeIdentifier(unfinishedRestoreSchema)
  await client.query(`create schema if not exists ${mark}`)
  await client.query(`create table if not exists ${mark}.backup (name text not null)`)
  await client.query(`insert into ${mark}.backup values ($1)`, [backup])
}

/** Every schema of Pave but the mark, which goes last. */
async function ownSchemas(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select nspname as name from pg_namespace
     where nspowner in ('pave_owner'::regrole, 'pave_jobs'::regrole) and nspname <> $1`,
    [unfinishedRestoreSchema],
  )
  return rows.map(({ name }) => name)
}
