import { sql } from 'kysely'
import { handle } from '#platform/context.ts'
import * as contract from './contract.ts'
import { fingerprintOf } from './contract-digest.ts'
import { datasetVersion } from './queries.ts'
import { datasetsFailure } from './tables.ts'

/** A version is what it is made from: registering the same source, contract and range again answers the one there is. */
export const registerDatasetVersion = handle(contract.registerDatasetVersion, async (ctx, { dataset, ...content }) => {
  for (const digest of [content.digest, content.quarantineDigest]) {
    if (!(await ctx.services.objects.has(digest))) {
      throw datasetsFailure('source_not_found', `The object store has no ${digest}`)
    }
  }
  // The dataset's row is locked, so that two registrations at once get two numbers.
  const { rows } = await sql<{ last_version: number }>`
    select last_version from datasets.dataset where name = ${dataset} for update
  `.execute(ctx.db)
  const last = rows[0]?.last_version
  if (last === undefined) throw datasetsFailure('dataset_not_found', `There is no dataset ${dataset}`)
  const fingerprint = fingerprintOf(content)
  const same = await sql<{ version: number }>`
    select version from datasets.version where dataset = ${dataset} and fingerprint = ${fingerprint}
  `.execute(ctx.db)
  const version = same.rows[0]?.version ?? last + 1
  if (same.rows[0] === undefined) {
    await sql`
      insert into datasets.version (workspace, dataset, version, fingerprint, content, registered_at)
      values (${ctx.workspace}, ${dataset}, ${version}, ${fingerprint}, ${JSON.stringify(content)}::jsonb, ${ctx.clock.iso()})
    `.execute(ctx.db)
    await sql`update datasets.dataset set last_version = ${version} where name = ${dataset}`.execute(ctx.db)
  }
  const ref = `${dataset}@${version}`
  ctx.entry.subject('dataset', dataset)
  ctx.entry.subject('dataset-version', ref)
  ctx.entry.subject('object', content.digest)
  ctx.entry.subject('object', content.quarantineDigest)
  ctx.entry.input('object', content.sourceDigest)
  ctx.entry.output('dataset-version', ref)
  ctx.entry.after({ fingerprint, digest: content.digest })
  ctx.entry.facts({
    digest: content.digest,
    rows: content.rows,
    quarantined: content.quarantined,
    from: content.from,
    to: content.to,
    alreadyRegistered: same.rows[0] !== undefined,
  })
  return datasetVersion(ctx.db, dataset, String(version))
})
