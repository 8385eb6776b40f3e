import { sql } from 'kysely'
import { principalNames } from '#modules/identity/queries.ts'
import { modelSpec, resolveVersion } from '#modules/registry/queries.ts'
import { handle, type OperationContext } from '#platform/context.ts'
import { traceLineage } from '#platform/kernel/contract.ts'
import type { Entry } from '#platform/ledger/entry.ts'
import * as contract from './contract.ts'
import { gatherEvidence, type PlacedEntry, renderEvidence } from './evidence.ts'
import { judge } from './gates.ts'
import { allPolicies } from './policies.ts'

/** Reads it all off the ledger and the registry: nobody writes evidence by hand. */
export const exportEvidence = handle(contract.exportEvidence, async (ctx, { version: ref }) => {
  const version = await resolveVersion(ctx.db, ref)
  const gates = judge(await allPolicies(ctx.db), version, await modelSpec(ctx.db, version.model))
  const { edges } = await ctx.call(traceLineage, { object: `version:${version.ref}`, direction: 'upstream' })
  const entries = await entriesAbout(ctx, version.ref)
  const people = entries.flatMap(({ entry }) => [entry.actor.id, entry.onBehalfOf ?? entry.actor.id])
  const input = {
    version,
    generatedAt: ctx.clock.iso(),
    gates,
    lineage: edges,
    entries,
    names: await principalNames(ctx.db, [...new Set([...people, version.author])]),
  }
  ctx.entry.subject('version', version.ref)
  return {
    version: version.ref,
    digest: version.digest,
    generatedAt: input.generatedAt,
    document: gatherEvidence(input),
    markdown: renderEvidence(input),
  }
})

/** What happens by the thousand and would crowd out the decisions. */
const bulk = ['record-predictions', 'record-labels']

/** Entries that name the version, and those about the approvals and releases that those name. */
async function entriesAbout(ctx: OperationContext, ref: string): Promise<PlacedEntry[]> {
  const { rows } = await sql<{ ix: number | null; body: string }>`
    with direct as (
      select entry from ledger.subject where workspace = ${ctx.workspace} and kind = 'version' and id = ${ref}
    ), related as (
      select distinct s.kind, s.id from ledger.subject s
      where s.entry in (select entry from direct) and s.kind in ('release', 'pending-operation', 'run')
    )
    select l.ix, e.body from ledger.entry e left join ledger.leaf l on l.seq = e.seq
    where e.operation <> all(${bulk}::text[]) and (e.id in (select entry from direct)
       or e.id in (select s.entry from ledger.subject s join related r on r.kind = s.kind and r.id = s.id
                   where s.workspace = ${ctx.workspace}))
    order by e.seq limit 2000
  `.execute(ctx.db)
  return rows.map((row): PlacedEntry => {
    const entry: Entry = JSON.parse(row.body)
    return { leaf: row.ix, entry }
  })
}
