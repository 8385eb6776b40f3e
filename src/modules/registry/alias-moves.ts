import { sql } from 'kysely'
import { z } from 'zod'
import type { OperationContext } from '#platform/context.ts'
import type { Entry } from '#platform/ledger/entry.ts'

/** What an entry of the ledger says that became of an alias; null is no version. */
export interface AliasMove {
  alias: string
  from: number | null
  to: number | null
}

export interface AliasEntry {
  entry: Entry
  seq: number
  leaf: number | null
  /** None when it left every alias where it was. */
  moves: AliasMove[]
}

/** By whom one alias is moved at a time, which can be taken back. What takes versions away takes their aliases along. */
const single = ['set-alias', 'delete-alias', 'undo-alias-move']
const others = ['delete-version', 'delete-model', 'rename-model']

export const canBeUndone = (operation: string): boolean => single.includes(operation)

/** Entries that may have moved an alias of a model, newest first. Those of an earlier Pave name the version alone. */
export async function readAliasEntries(
  { db, workspace }: OperationContext,
  filter: { model: string; alias?: string | undefined; before: number; limit: number },
): Promise<AliasEntry[]> {
  const { model, alias = null, before, limit } = filter
  const { rows } = await sql<{ seq: number; ix: number | null; body: string }>`
    select e.seq, l.ix, e.body from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.operation = any(${[...single, ...others]}) and e.seq < ${before}
      and e.id in (
        select s.entry from ledger.subject s
        where s.workspace = ${workspace} and s.kind = 'model' and s.id = ${model}
        union all
        select s.entry from registry.version v
        join ledger.subject s on s.workspace = ${workspace} and s.kind = 'version' and s.id = v.model || '@' || v.version
        where v.model = ${model}
      )
      and (${alias}::text is null or e.body::jsonb #>> '{facts,alias}' = ${alias}
           or e.body::jsonb #> '{facts,aliases}' ? ${alias})
    order by e.seq desc limit ${limit}
  `.execute(db)
  return rows.map(({ seq, ix, body }) => {
    const entry: Entry = JSON.parse(body)
    const moves = movesOf(entry, model).filter((move) => alias === null || move.alias === alias)
    return { entry, seq, leaf: ix, moves }
  })
}

const One = z.object({ alias: z.string(), from: z.int().nullable(), to: z.int().nullish() })
const Several = z.object({
  aliases: z.union([z.array(z.string()), z.record(z.string(), z.int())]).default([]),
  from: z.string().optional(),
})

/** What an entry says of the aliases of a model. */
function movesOf(entry: Entry, model: string): AliasMove[] {
  const { operation, facts = {}, outcome } = entry
  if (outcome !== 'done') return []
  if (single.includes(operation)) {
    const { alias, from, to = operation === 'set-alias' ? versionIn(entry) : null } = One.parse(facts)
    return from === to ? [] : [{ alias, from, to }]
  }
  const { aliases, from: oldName } = Several.parse(facts)
  if (Array.isArray(aliases)) return aliases.map((alias) => ({ alias, from: versionIn(entry), to: null }))
  const arrived = operation === 'rename-model' && oldName !== model
  return Object.entries(aliases).map(([alias, version]) =>
    arrived ? { alias, from: null, to: version } : { alias, from: version, to: null },
  )
}

function versionIn({ subjects }: Entry): number | null {
  const ref = subjects.find((subject) => subject.kind === 'version')?.id
  return ref === undefined ? null : Number(ref.slice(ref.lastIndexOf('@') + 1))
}
