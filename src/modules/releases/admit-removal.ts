import { sql } from 'kysely'
import { z } from 'zod'
import { resolveVersion } from '#modules/registry/queries.ts'
import type { Admission, AdmissionVoice } from '#platform/module.ts'
import { VersionRef } from '#platform/names.ts'

const Removal = z.union([z.object({ version: VersionRef }), z.object({ model: z.string() })])

/** What was ever released stays in the registry, and so does the name of a model that an endpoint serves. */
export const admitRemoval: AdmissionVoice = async (ctx, _operation, input): Promise<Admission> => {
  const removal = Removal.parse(input)
  const version = 'version' in removal ? (await resolveVersion(ctx.db, removal.version)).ref : null
  const model = 'model' in removal ? removal.model : null
  const { rows } = await sql<{ endpoint: string; version: string | null }>`
    select environment || '/' || endpoint as endpoint, version from releases.release
    where version = ${version}::text or starts_with(version, ${model}::text || '@')
    union all
    select environment || '/' || name, version from releases.endpoint where spec ->> 'model' = ${model}::text
    limit 1
  `.execute(ctx.db)
  const [use] = rows
  if (use === undefined) return { verdict: 'allow' }
  const message =
    use.version === null
      ? `the endpoint ${use.endpoint} is for this model`
      : `${use.version} was released to ${use.endpoint}; what was released stays, for rolling back and for the record`
  return { verdict: 'deny', reasons: [{ rule: 'in use', message }] }
}
