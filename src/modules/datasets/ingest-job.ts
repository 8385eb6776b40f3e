import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { defineJob, type JobContext } from '#platform/job.ts'
import { compileContract } from './compile-contract.ts'
import { type DatasetSpec, IngestInput, registerDatasetVersion } from './contract.ts'
import { contractDigestOf, fingerprintOf } from './contract-digest.ts'
import { describeSource } from './describe-source.ts'
import { requireRange } from './ingest-dataset.ts'
import { type IngestPlan, ingestSql } from './ingest-sql.ts'
import { Pictures } from './picture-sql.ts'
import { Profile } from './profile-sql.ts'
import { datasetSpec, findVersion } from './queries.ts'
import { sourceColumns } from './source-columns.ts'
import { datasetsFailure } from './tables.ts'

const timeoutMs = 600_000

/** What the job answers. */
export interface Ingested {
  dataset: string
  version: number
  /** `dataset@version`. */
  ref: string
  rows: number
  quarantined: Record<string, number>
  digest: string
  object: string
}

/** Ingests a range once: what has been made from the same source under the same contract is answered as it is. */
export const ingestJob = defineJob({
  name: 'ingest-dataset',
  input: IngestInput,
  retries: 2,
  timeoutMs,
  async run(ctx, input): Promise<Ingested> {
    requireRange(input)
    const spec = await ctx.read((db) => datasetSpec(db, input.dataset))
    const made = {
      from: input.from ?? null,
      to: input.to ?? null,
      sourceDigest: spec.source.digest,
      contractDigest: contractDigestOf(spec),
    }
    const known = await ctx.read((db) => findVersion(db, input.dataset, fingerprintOf(made)))
    if (known !== undefined) return ingested(known)
    const scratch = join(ctx.services.config.dataDir, 'scratch', ctx.jobId)
    await mkdir(scratch, { recursive: true })
    try {
      await ctx.progress(0.1, `checking ${input.dataset} against its contract`)
      const content = await ingestRange(ctx, input.dataset, spec, made, scratch)
      return ingested(
        await ctx.run('register', registerDatasetVersion, { dataset: input.dataset, ...made, ...content }),
      )
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  },
})

const noPicture = { histogram: null, top: null }
const Counted = z.array(z.object({ rule: z.string(), rows: z.number() })).nullable()
const Answer = z.object({
  rows: z.number(),
  first_time: z.string().nullable(),
  last_time: z.string().nullable(),
  quarantined: Counted,
  warned: Counted,
  profile: Profile,
  pictures: Pictures,
})

async function ingestRange(
  ctx: JobContext,
  dataset: string,
  spec: DatasetSpec,
  range: { from: string | null; to: string | null },
  scratch: string,
) {
  const contract = compileContract(spec)
  const source = await describeSource(ctx.services, dataset, spec)
  const columns = sourceColumns(spec, source)
  const plan: IngestPlan = {
    spec,
    contract,
    columns,
    ...range,
    sourcePath: source.path,
    keptPath: join(scratch, 'kept.parquet'),
    quarantinePath: join(scratch, 'quarantine.parquet'),
  }
  const { rows } = await ctx.services.analytics.query(ingestSql(plan), [], { timeoutMs, signal: ctx.signal })
  const answer = Answer.parse(rows[0])
  const quarantined = countsOf(answer.quarantined)
  refuseFailed(dataset, spec, quarantined)
  await ctx.progress(0.8, `${answer.rows} rows passed; storing them`)
  const kept = await ctx.services.objects.put(createReadStream(plan.keptPath))
  const aside = await ctx.services.objects.put(createReadStream(plan.quarantinePath))
  return {
    rows: answer.rows,
    quarantined,
    warned: countsOf(answer.warned),
    digest: kept.digest,
    quarantineDigest: aside.digest,
    firstTime: answer.first_time,
    lastTime: answer.last_time,
    timeColumn: spec.timeColumn,
    columns: [...columns, ...contract.derived].map(({ name, type }) => ({ name, type })),
    derived: Object.fromEntries(contract.derived.map(({ name, expression }) => [name, expression.text])),
    profile: answer.profile.map((column) => ({ ...column, ...(answer.pictures.get(column.name) ?? noPicture) })),
  }
}

function countsOf(counted: z.infer<typeof Counted>): Record<string, number> {
  const broken = (counted ?? []).filter(({ rows }) => rows > 0)
  return Object.fromEntries(broken.map(({ rule, rows }) => [rule, rows]))
}

function refuseFailed(dataset: string, spec: DatasetSpec, broken: Record<string, number>): void {
  const rules = [...spec.rules, ...(spec.unique ? [{ name: 'unique', action: spec.unique.action }] : [])]
  const failed = rules.filter(({ name, action }) => action === 'fail' && broken[name] !== undefined)
  if (failed.length === 0) return
  const counts = failed.map(({ name }) => `${broken[name]} rows break ${name}`)
  throw datasetsFailure('rule_failed', `${dataset} was not ingested: ${counts.join(', ')}`, {
    details: { rules: Object.fromEntries(failed.map(({ name }) => [name, broken[name]])) },
  })
}

function ingested({ dataset, version, ref, rows, quarantined, digest }: Omit<Ingested, 'object'>): Ingested {
  return { dataset, version, ref, rows, quarantined, digest, object: digest }
}
