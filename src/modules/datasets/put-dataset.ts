import { sql } from 'kysely'
import { handle, type OperationContext } from '#platform/context.ts'
import { workspaceHasObject } from '#platform/storage/objects/workspace-objects.ts'
import { compileContract } from './compile-contract.ts'
import * as contract from './contract.ts'
import { contractDigestOf } from './contract-digest.ts'
import { describeSource } from './describe-source.ts'
import { findDataset } from './queries.ts'
import { sourceColumns } from './source-columns.ts'
import { type DatasetRow, datasetOf, datasetsFailure } from './tables.ts'

/** The source's footer is read before anything is stored, so that a declared dataset can be ingested. */
export const putDataset = handle(contract.putDataset, async (ctx, { dataset, spec }) => {
  const before = await findDataset(ctx.db, dataset)
  ctx.requireMatch(before?.spec)
  compileContract(spec)
  await requireObject(ctx, spec.source)
  sourceColumns(spec, await describeSource(ctx.services, dataset, spec))
  const { rows } = await sql<DatasetRow>`
    insert into datasets.dataset (workspace, name, spec, contract_digest, created_at)
    values (${ctx.workspace}, ${dataset}, ${JSON.stringify(spec)}::json, ${contractDigestOf(spec)}, ${ctx.clock.iso()})
    on conflict (workspace, name) do update set spec = excluded.spec, contract_digest = excluded.contract_digest
    returning name, spec, contract_digest, last_version, created_at
  `.execute(ctx.db)
  const [after] = rows
  if (after === undefined) throw new Error('an upsert answers its row')
  ctx.entry.subject('dataset', dataset)
  ctx.entry.input('object', spec.source.digest)
  if (before !== undefined) ctx.entry.before(before.spec)
  ctx.entry.after(spec)
  ctx.entry.facts({ source: spec.source.digest, contractDigest: after.contract_digest })
  return datasetOf(after)
})

async function requireObject(ctx: OperationContext, { digest, name }: contract.DatasetSpec['source']): Promise<void> {
  if (!(await workspaceHasObject(ctx.db, ctx.workspace, digest)) || !(await ctx.services.objects.has(digest))) {
    throw datasetsFailure('source_not_found', `The source ${name ?? digest} was not uploaded to this workspace`)
  }
}
