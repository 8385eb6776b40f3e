import { type RawBuilder, sql } from 'kysely'
import { allows } from '../actor.ts'
import { handle } from '../context.ts'
import { textPattern } from '../names.ts'
import type { SearchHit, SearchSource } from '../search-source.ts'
import * as contract from './contract.ts'

type Hit = contract.SearchResult

/** Of callers who may read a part of the workspace, most of what is found may be none of theirs. */
const mostLookedAt = 200

/** Each source answers its best; those whose name is the text or begins with it come before the others. */
export const search = handle(contract.search, async (ctx, { text, limit }) => {
  const { grants } = ctx.actor
  const wanted = text.toLowerCase()
  const found: { rank: number; hit: Hit }[] = []
  for (const { kind, verb, find } of ctx.services.searchSources) {
    const everywhere = allows(grants, verb, {})
    if (!everywhere && !grants.some(({ scope }) => allows(grants, verb, scope))) continue
    const hits = await find(ctx.db, textPattern(text), everywhere ? limit : mostLookedAt)
    const readable = everywhere ? hits : hits.filter(({ object = {} }) => allows(grants, verb, object))
    for (const { id, title, detail } of readable.slice(0, limit)) {
      found.push({ rank: rankOf(wanted, id, title), hit: { kind, id, title, detail } })
    }
  }
  // Stable: within a rank the order is that of the lifecycle, and of each source.
  return {
    items: found
      .sort((a, b) => a.rank - b.rank)
      .map(({ hit }) => hit)
      .slice(0, limit),
  }
})

function rankOf(wanted: string, id: string, title: string): number {
  const names = [id.toLowerCase(), title.toLowerCase(), ...id.toLowerCase().split('/').slice(1)]
  if (names.includes(wanted)) return 0
  if (names.some((name) => name.startsWith(wanted))) return 1
  return names.some((name) => name.includes(wanted)) ? 2 : 3
}

/** Finds by a whole id that was pasted, and nothing by what people type. */
function byId(query: (id: string) => RawBuilder<SearchHit>): SearchSource['find'] {
  return async (db, pattern) => {
    const id = pattern.slice(1, -1).toLowerCase()
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return []
    return (await query(id).execute(db)).rows
  }
}

const entries: SearchSource = {
  kind: 'entry',
  verb: 'ledger:read',
  find: byId(
    (id) => sql`select id, operation as title, 'ledger entry' as detail from ledger.entry where id = ${id}::uuid`,
  ),
}

const jobs: SearchSource = {
  kind: 'job',
  verb: 'job:read',
  find: byId((id) => sql`select id, job as title, state as detail from platform.job where id = ${id}::uuid`),
}

const pendingOperations: SearchSource = {
  kind: 'pending-operation',
  verb: 'approval:read',
  find: byId(
    (id) => sql`select id, operation as title, state as detail from platform.pending_operation where id = ${id}::uuid`,
  ),
}

/** Bytes, by a digest that was pasted; `sha256:` may be missing. */
const objects: SearchSource = {
  kind: 'object',
  verb: 'ledger:read',
  async find(db, pattern) {
    const digest = /^%(?:sha256:)?([0-9a-f]{64})%$/i.exec(pattern)?.[1]?.toLowerCase()
    if (digest === undefined) return []
    const { rows } = await sql<SearchHit>`
      select distinct id, id as title, 'stored object' as detail from ledger.subject
      where kind = 'object' and id = ${`sha256:${digest}`} and workspace = current_setting('app.workspace')::uuid limit 1
    `.execute(db)
    return rows
  },
}

export const searchSources: readonly SearchSource[] = [entries, jobs, pendingOperations, objects]
