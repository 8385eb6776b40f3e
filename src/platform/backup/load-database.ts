import { pipeline } from 'node:stream/promises'
import { type ClientBase, DatabaseError, escapeIdentifier } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { qualified, setPortable, tablesOf } from './dump-database.ts'
import { backupFailure } from './errors.ts'
import type { Manifest } from './manifest.ts'
import { readPart } from './part-files.ts'

/**
 * Replaces the content of every table by the backup's, in one transaction; the schema must be in the backup's state, and the
 * client must own it. Foreign keys are taken off and put on again, which checks every row of them; triggers of Pave
 * rest meanwhile.
 */
export async function loadTables(
  client: ClientBase,
  directory: string,
  manifest: Manifest,
  onTable: (name: string, rows: number) => void,
): Promise<void> {
  await client.query('begin')
  try {
    await setPortable(client)
    const schemas = Object.keys(manifest.migrations)
    const tables = await tablesOf(client, [...schemas, 'ledger'])
    refuseOtherShape(tables.map(qualified), manifest.tables.map(qualified))
    const foreignKeys = await readForeignKeys(client, tables.map(qualified))
    for (const { table, name } of foreignKeys) await client.query(`alter table ${table} drop constraint ${name}`)
    await client.query(`truncate ${tables.map(qualified).join(', ')}`)
    for (const table of tables) await client.query(`alter table ${qualified(table)} disable trigger user`)
    for (const table of manifest.tables) {
      const name = `${table.schema}.${table.table}`
      const columns = table.columns.map((column) => escapeIdentifier(column)).join(', ')
      const stream = client.query(copyFrom(`copy ${qualified(table)} (${columns}) from stdin`))
      await pipeline(readPart(directory, table), stream).catch((error) => {
        throw explained(error, name)
      })
      if (stream.rowCount !== table.rows) {
        throw backupFailure('backup_damaged', `${name} has ${stream.rowCount} rows, ${table.rows} were written`)
      }
      onTable(name, table.rows)
    }
    for (const { schema, sequence, lastValue, isCalled } of manifest.sequences) {
      await client.query('select setval($1::regclass, $2, $3)', [
        qualified({ schema, table: sequence }),
        lastValue,
        isCalled,
      ])
    }
    for (const table of tables) await client.query(`alter table ${qualified(table)} enable trigger user`)
    for (const { table, name, definition } of foreignKeys) {
      await client.query(`alter table ${table} add constraint ${name} ${definition}`).catch((error) => {
        throw explained(error, table)
      })
    }
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
  for (const table of manifest.tables) await client.query(`analyze ${qualified(table)}`)
}

/** The rows that each table has now. */
export async function countRows(client: ClientBase, manifest: Manifest): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const table of manifest.tables) {
    const { rows } = await client.query<{ count: string }>(`select count(*) from ${qualified(table)}`)
    counts.set(`${table.schema}.${table.table}`, Number(rows[0]?.count))
  }
  return counts
}

async function readForeignKeys(client: ClientBase, tables: readonly string[]) {
  const { rows } = await client.query<{ table: string; name: string; definition: string }>(
    `select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as table, quote_ident(k.conname) as name,
       pg_get_constraintdef(k.oid) as definition
     from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
     where k.contype = 'f' and k.conrelid = any($1::regclass[])
     order by 1, 2`,
    [tables],
  )
  return rows
}

function refuseOtherShape(here: readonly string[], there: readonly string[]): void {
  const odd = [...new Set(here).symmetricDifference(new Set(there))]
  if (odd.length === 0) return
  throw backupFailure('backup_damaged', `The backup and its own migrations disagree about ${odd.join(', ')}`)
}

/** What PostgreSQL refuses to load was damaged before the backup or after it. */
function explained(error: unknown, table: string): unknown {
  if (!(error instanceof DatabaseError) || !/^(22|23)/.test(error.code ?? '')) return error
  return backupFailure('backup_damaged', `${table} cannot be loaded: ${error.message}`, { cause: error })
}
