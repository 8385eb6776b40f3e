import type { ClientBase } from 'pg'
import { escapeIdentifier } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { backupFailure } from './errors.ts'
import type { Manifest, Table } from './manifest.ts'
import { writePart } from './part-files.ts'

/** Kysely's own tables: what they say is in the manifest, and the migrations write it again. */
const migrationTables = ['migration', 'migration_lock']

/** Settings that text values depend on; both directions use the same. */
const portable = [
  "set local datestyle = 'ISO'",
  "set local intervalstyle = 'iso_8601'",
  "set local timezone = 'UTC'",
  'set local extra_float_digits = 1',
  "set local bytea_output = 'hex'",
  "set local client_encoding = 'UTF8'",
  "set local xmloption = 'content'",
  'set local statement_timeout = 0',
  'set local idle_in_transaction_session_timeout = 0',
]

export async function setPortable(client: ClientBase): Promise<void> {
  for (const statement of portable) await client.query(statement)
}

/** Entries in the order of their leaves, so that a verifier reads both files side by side in constant memory. */
const sources: Record<string, (columns: string) => string> = {
  'ledger.entry': (columns) =>
    `(select ${columns} from ledger.entry entry left join ledger.leaf leaf using (seq) order by leaf.ix nulls last, entry.seq)`,
  'ledger.leaf': (columns) => `(select ${columns} from ledger.leaf order by ix)`,
}

export interface TableShape {
  schema: string
  table: string
  columns: string[]
}

/** Every table of the schemas with the columns that hold data of their own. */
export async function tablesOf(client: ClientBase, schemas: readonly string[]): Promise<TableShape[]> {
  const { rows } = await client.query<TableShape>(
    `select n.nspname as schema, c.relname as table,
       array(select a.attname::text from pg_attribute a
             where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
             order by a.attnum) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname = any($1) and c.relname <> all($2)
     order by array_position($1, n.nspname::text), c.relname`,
    [schemas, migrationTables],
  )
  return rows
}

export const qualified = ({ schema, table }: { schema: string; table: string }): string =>
  `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`

/** Writes every table of the caller's transaction, which is one snapshot. */
export async function dumpTables(
  client: ClientBase,
  schemas: readonly string[],
  directory: string,
  onTable: (table: Table) => void,
): Promise<Table[]> {
  const written: Table[] = []
  for (const shape of await tablesOf(client, schemas)) {
    const { schema, table } = shape
    const name = `${schema}.${table}`
    const columns = shape.columns.map((column) => escapeIdentifier(column)).join(', ')
    const source = sources[name]?.(columns.replaceAll('"seq"', `${table}."seq"`)) ?? `${qualified(shape)} (${columns})`
    const stream = client.query(copyTo(`copy ${source} to stdout`))
    const { lines, ...part } = await writePart(directory, `tables/${name}.copy.gz`, stream)
    written.push({ ...part, ...shape, rows: lines })
    onTable({ ...part, ...shape, rows: lines })
  }
  return written
}

export async function readSequences(client: ClientBase, schemas: readonly string[]): Promise<Manifest['sequences']> {
  const { rows } = await client.query<{ schema: string; sequence: string }>(
    `select schemaname as schema, sequencename as sequence from pg_sequences where schemaname = any($1) order by 1, 2`,
    [schemas],
  )
  const found: Manifest['sequences'] = []
  for (const { schema, sequence } of rows) {
    const { rows: states } = await client.query<{ last: string; called: boolean }>(
      `select last_value::text as last, is_called as called from ${qualified({ schema, table: sequence })}`,
    )
    const [state] = states
    if (state !== undefined) found.push({ schema, sequence, lastValue: state.last, isCalled: state.called })
  }
  return found
}

/** The migrations that were done, by schema; refuses a database that is newer than this Pave. */
export async function readMigrations(
  client: ClientBase,
  known: Record<string, readonly string[]>,
): Promise<Record<string, string[]>> {
  const { rows } = await client.query<{ schema: string }>(
    `select n.nspname as schema from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and c.relname = 'migration' and c.relowner = 'pave_owner'::regrole order by 1`,
  )
  const done: Record<string, string[]> = {}
  for (const { schema } of rows) {
    const names = await client.query<{ name: string }>(
      `select name from ${qualified({ schema, table: 'migration' })} order by name`,
    )
    done[schema] = names.rows.map(({ name }) => name)
  }
  refuseUnknown(done, known, 'The database')
  return done
}

export function refuseUnknown(
  done: Record<string, readonly string[]>,
  known: Record<string, readonly string[]>,
  what: string,
): void {
  for (const [schema, names] of Object.entries(done)) {
    const unknown = names.find((name) => !known[schema]?.includes(name))
    if (unknown !== undefined) {
      throw backupFailure(
        'backup_too_new',
        `${what} has the migration ${schema}/${unknown}, which this Pave does not know`,
      )
    }
  }
}
