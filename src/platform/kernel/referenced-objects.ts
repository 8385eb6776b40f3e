import { type Kysely, sql } from 'kysely'
import { platformFailure } from '../errors.ts'
import type { Platform } from '../platform.ts'

/** The ledger and kept answers tell what was; the rest of these is the bookkeeping of freeing itself, and the queue's. */
const history = [
  ...['platform.idempotent_answer', 'platform.released_object', 'platform.withdrawn_object'],
  ...['migration', 'migration_lock'],
]
const schemasApart = ['pg_catalog', 'information_schema', 'pg_toast', 'ledger', 'jobs']

/** Types whose values hold no text. Packed numbers and spans are bytes, in these two schemas and nowhere else. */
const withoutText = 'bool|int2|int4|int8|float4|float8|numeric|uuid|timestamptz|timestamp|date|time|interval|xid8|oid'
const withText = /^_?(text|varchar|bpchar|json|jsonb|name)$/
const withPackedBytes = ['tracking', 'traces']
const longestList = 64 * 1024 ** 2

interface Column {
  schema: string
  name: string
  column: string
  type: string
}

/**
 * Which of the digests occur anywhere in the database but in its history, in any workspace, whatever the column is called
 * and whoever made it; or in a list of files that a version names. A column of a type that nobody has thought of is a
 * reason to stop, and so is a list that cannot be read: what is not known to be free is in use.
 */
export async function referencedObjects(platform: Platform, digests: readonly string[]): Promise<Set<string>> {
  const wanted = digests.map((digest) => digest.slice('sha256:'.length))
  const used = new Set<string>()
  const lists = new Set<string>()
  await platform.system
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (db) => {
      const columns = Map.groupBy(await textColumns(db), ({ schema, name }) => `${schema}.${name}`)
      for (const [table, ofTable] of columns) {
        for (const hex of await digestsIn(db, table, ofTable, wanted)) used.add(`sha256:${hex}`)
      }
      for (const module of platform.modules) {
        for (const list of (await module.objectLists?.(db)) ?? []) lists.add(list)
      }
    })
  const left = new Set(digests.filter((digest) => !used.has(digest)))
  if (left.size === 0) return used
  for (const list of lists) {
    const bytes = await platform.services.objects.read(list, { maxBytes: longestList })
    for (const [digest] of bytes.toString('latin1').matchAll(/sha256:[0-9a-f]{64}/g)) {
      if (left.has(digest)) used.add(digest)
    }
  }
  return used
}

async function textColumns(db: Kysely<unknown>): Promise<Column[]> {
  const { rows } = await sql<Column & { enumerated: boolean }>`
    select n.nspname as schema, c.relname as name, a.attname as column, t.typname as type, t.typtype = 'e' as enumerated
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_type t on t.oid = a.atttypid
    where c.relkind in ('r', 'm') and a.attnum > 0 and not a.attisdropped
      and n.nspname <> all(${schemasApart}::text[]) and n.nspname not like 'pg\\_%'
      and c.relname <> all(${history}::text[]) and n.nspname || '.' || c.relname <> all(${history}::text[])
    order by 1, 2, a.attnum
  `.execute(db)
  const harmless = new RegExp(`^_?(${withoutText})$`)
  const unknown = rows.filter(
    ({ schema, type, enumerated }) =>
      !withText.test(type) &&
      !harmless.test(type) &&
      !enumerated &&
      !(type === 'bytea' && withPackedBytes.includes(schema)),
  )
  const [first] = unknown
  if (first !== undefined) {
    const { schema, name, column, type } = first
    throw platformFailure(
      'internal',
      `No object is freed: what ${schema}.${name}.${column} (${type}) holds is not known`,
    )
  }
  return rows.filter(({ type }) => withText.test(type))
}

async function digestsIn(
  db: Kysely<unknown>,
  table: string,
  columns: readonly Column[],
  wanted: readonly string[],
): Promise<string[]> {
  const texts = columns.map(({ column }) => sql`${sql.ref(column)}::text`)
  const { rows } = await sql<{ hex: string }>`
    select distinct found[1] as hex
    from (select concat_ws(' ', ${sql.join(texts)}) as text from ${sql.table(table)}) as one
    cross join lateral regexp_matches(one.text, '[0-9a-f]{64}', 'g') as found
    where one.text ~ '[0-9a-f]{64}' and found[1] = any(${wanted}::text[])
  `.execute(db)
  return rows.map(({ hex }) => hex)
}
