import { createReadStream } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { resolveDatasetVersion } from '#modules/datasets/queries.ts'
import { defineJob } from '#platform/job.ts'
import { registerTrainingSet, type TrainingSet, TrainingSetInput } from './contract.ts'
import { resolvedService } from './queries.ts'
import { planTrainingSet, trainingSql } from './training-sql.ts'

const timeoutMs = 1_800_000

const Answer = z.object({ rows: z.number(), positives: z.number().nullable() })

export const buildTrainingSetJob = defineJob({
  name: 'build-training-set',
  input: TrainingSetInput,
  retries: 2,
  timeoutMs,
  async run(ctx, input): Promise<TrainingSet> {
    const { objects, analytics, config } = ctx.services
    const plan = await ctx.read(async (db) =>
      planTrainingSet({
        input,
        version: await resolveDatasetVersion(db, input.dataset),
        ...(await resolvedService(db, input.featureService)),
      }),
    )
    const scratch = join(config.dataDir, 'scratch', ctx.jobId)
    await mkdir(scratch, { recursive: true })
    try {
      await ctx.progress(0.1, `joining ${plan.service.features.length} features to ${plan.version.ref}`)
      const target = join(scratch, `training-set.${input.format}`)
      const source = await objects.localPath(plan.version.digest)
      const { rows } = await analytics.query(trainingSql(plan, source, target), [], { timeoutMs, signal: ctx.signal })
      const answer = Answer.parse(rows[0])
      await ctx.progress(0.9, `storing ${answer.rows} rows`)
      const { digest, size } = await objects.put(createReadStream(target))
      return await ctx.run('register', registerTrainingSet, {
        featureService: input.featureService,
        dataset: plan.version.ref,
        object: digest,
        digest,
        size,
        ...answer,
        features: plan.service.features,
        label: input.label,
        format: input.format,
        views: [...plan.views.keys()],
      })
    } finally {
      await rm(scratch, { recursive: true, force: true })
    }
  },
})
