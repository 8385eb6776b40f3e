import { z } from 'zod'
import {
  deleteAlias,
  getModel,
  getVersion,
  listModels,
  listVersions,
  ModelSpec,
  putModel,
  setAlias,
  type Version,
} from '#modules/registry/contract.ts'
import { PaveError } from '#platform/errors.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { etagOf } from '#platform/run-operation.ts'
import { type Call, cursorOf, endpoint, Integer, KeyValues, keyValues, nextPage, pageSize, Texts } from './endpoint.ts'
import { invalid, MlflowError } from './errors.ts'
import { versionLocation } from './location.ts'
import { type Comparison, meets, readFilter } from './read-filter.ts'
import { registerSource } from './register-source.ts'
import { mlflowRunId, runUuid } from './run-id.ts'

type Model = AnswerOf<typeof getModel>

const ByName = z.object({ name: z.string() })
const ByVersion = ByName.extend({ version: z.coerce.string().regex(/^\d{1,9}$/, 'a version is a number') })
const ByAlias = ByName.extend({ alias: z.string() })
const Page = { filter: z.string().optional(), max_results: Integer.optional(), page_token: z.string().optional() }

/**
 * Who registers a model from a notebook says nothing of its owner and risk, so it is theirs and of tier 2, which policies
 * usually make approvals of, until a manifest says better or the tags `pave.owner`, `pave.tier` and `pave.task` do.
 */
const carefulTier = 2

const Latest = ByName.extend({ stages: Texts })

export const registeredModels = [
  endpoint(
    'POST',
    'registered-models/create',
    ByName.extend({ tags: KeyValues, description: z.string().default('') }),
    async (call, { name, tags, description }) => ({
      registered_model: await wireModel(call, await createModel(call, name, description, tags)),
    }),
  ),
  endpoint('GET', 'registered-models/get', ByName, async (call, { name }) => ({
    registered_model: await wireModel(call, await call.run(getModel, { model: name })),
  })),
  endpoint(
    'PATCH',
    'registered-models/update',
    ByName.extend({ description: z.string().default('') }),
    async (call, { name, description }) => {
      const { spec } = await call.run(getModel, { model: name })
      const updated = await call.run(
        putModel,
        { model: name, spec: { ...spec, description } },
        { ifMatch: etagOf(spec) },
      )
      return { registered_model: await wireModel(call, updated) }
    },
  ),
  endpoint('GET', 'registered-models/search', z.object(Page), async (call, { filter, max_results, page_token }) => {
    const comparisons = readFilter(filter)
    const { items, nextCursor } = await call.run(listModels, {
      limit: pageSize(max_results, 100, 200),
      ...cursorOf(page_token),
    })
    const found = items.filter(({ model, spec }) =>
      meets(comparisons, { attributes: { name: model }, tags: spec.tags }),
    )
    const models = await Promise.all(found.map((model) => wireModel(call, model)))
    return { registered_models: models, ...nextPage(nextCursor) }
  }),
  endpoint('POST', 'registered-models/get-latest-versions', Latest, latestVersions),
  endpoint('GET', 'registered-models/get-latest-versions', Latest, latestVersions),
  endpoint(
    'POST',
    'registered-models/alias',
    ByAlias.extend({ version: ByVersion.shape.version }),
    async (call, request) => {
      await call.run(setAlias, { model: request.name, alias: request.alias, version: Number(request.version) })
      return {}
    },
  ),
  endpoint('GET', 'registered-models/alias', ByAlias, async (call, { name, alias }) => ({
    model_version: wireVersion(await call.run(getVersion, { version: `${name}@${alias}` })),
  })),
  endpoint('DELETE', 'registered-models/alias', ByAlias, async (call, { name, alias }) => {
    await call.run(deleteAlias, { model: name, alias })
    return {}
  }),
  endpoint(
    'POST',
    'model-versions/create',
    ByName.extend({
      source: z.string(),
      run_id: z.string().optional(),
      model_id: z.string().optional(),
      description: z.string().default(''),
    }),
    async (call, { name, source, run_id, model_id, description }) => {
      const version = await registerSource(call, {
        model: name,
        source: model_id ? `models:/${model_id}` : source,
        run: run_id ? runUuid(run_id) : undefined,
        note: description,
      })
      return { model_version: wireVersion(version) }
    },
  ),
  endpoint('GET', 'model-versions/get', ByVersion, async (call, { name, version }) => ({
    model_version: wireVersion(await call.run(getVersion, { version: `${name}@${version}` })),
  })),
  endpoint('GET', 'model-versions/get-download-uri', ByVersion, async (call, { name, version }) => ({
    artifact_uri: versionLocation(await call.run(getVersion, { version: `${name}@${version}` })),
  })),
  endpoint('GET', 'model-versions/search', z.object(Page), searchVersions),
]

async function createModel(
  call: Call,
  name: string,
  description: string,
  tags: Record<string, string>,
): Promise<Model> {
  const { 'pave.owner': owner, 'pave.tier': tier, 'pave.task': task, ...others } = tags
  const spec = ModelSpec.safeParse({
    description,
    owner: owner ?? call.actor.name,
    tier: tier === undefined ? carefulTier : Number(tier),
    task: task ?? 'other',
    tags: others,
  })
  if (!spec.success)
    throw invalid(spec.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
  if (await exists(call, name)) {
    throw new MlflowError('RESOURCE_ALREADY_EXISTS', `Registered Model (name=${name}) already exists`)
  }
  return call.run(putModel, { model: name, spec: spec.data })
}

async function exists(call: Call, model: string): Promise<boolean> {
  try {
    await call.run(getModel, { model })
    return true
  } catch (error) {
    if (error instanceof PaveError && error.code === 'model_not_found') return false
    throw error
  }
}

async function latestVersions(call: Call, { name }: z.output<typeof Latest>) {
  const { latestVersion } = await call.run(getModel, { model: name })
  if (latestVersion === null) return {}
  return { model_versions: [wireVersion(await call.run(getVersion, { version: `${name}@${latestVersion}` }))] }
}

/** Of one model when the filter names it, else of all of them. */
async function searchVersions(call: Call, { filter, max_results, page_token }: z.output<z.ZodObject<typeof Page>>) {
  const comparisons = readFilter(filter).map(withRunUuid)
  const named = comparisons.find(({ key, comparator }) => key === 'name' && comparator === '=')
  const models = named === undefined ? await allModels(call) : [String(named.value)]
  if (models.length > 1 && page_token)
    throw invalid('Only the versions of one model come in pages: name it in the filter')
  const found: Version[] = []
  let token: string | null = null
  for (const model of models) {
    const { items, nextCursor } = await versionsOf(call, model, {
      limit: pageSize(max_results, 200, 200),
      ...cursorOf(page_token),
    })
    found.push(...items.filter((version) => meets(comparisons, { attributes: attributesOf(version), tags: {} })))
    if (models.length === 1) token = nextCursor
  }
  return { model_versions: found.map(wireVersion), ...nextPage(token) }
}

async function versionsOf(call: Call, model: string, page: { limit: number; cursor?: string }) {
  try {
    return await call.run(listVersions, { model, ...page })
  } catch (error) {
    if (error instanceof PaveError && error.code === 'model_not_found') return { items: [], nextCursor: null }
    throw error
  }
}

async function allModels(call: Call): Promise<string[]> {
  const names: string[] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await call.run(listModels, { limit: 200, ...cursorOf(cursor) })
    names.push(...items.map((one) => one.model))
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return names
}

function withRunUuid(comparison: Comparison): Comparison {
  const { key, value } = comparison
  if (key === 'version_number') return { ...comparison, value: String(value) }
  return key === 'run_id' && typeof value === 'string'
    ? { ...comparison, value: value.replaceAll('-', '') }
    : comparison
}

function attributesOf({ model, version, run }: Version): Record<string, string> {
  return { name: model, version_number: String(version), ...(run !== null && { run_id: mlflowRunId(run) }) }
}

async function wireModel(call: Call, { model, spec, latestVersion, createdAt }: Model) {
  const { items } = latestVersion === null ? { items: [] } : await call.run(listVersions, { model, limit: 200 })
  const [latest] = items
  const at = Date.parse(createdAt)
  return {
    name: model,
    creation_timestamp: at,
    last_updated_timestamp: latest === undefined ? at : Date.parse(latest.registeredAt),
    user_id: spec.owner,
    description: spec.description,
    tags: keyValues(spec.tags),
    aliases: items.flatMap(({ aliases, version }) => aliases.map((alias) => ({ alias, version: String(version) }))),
    latest_versions: latest === undefined ? [] : [wireVersion(latest)],
  }
}

function wireVersion(version: Version) {
  const at = Date.parse(version.registeredAt)
  return {
    name: version.model,
    version: String(version.version),
    creation_timestamp: at,
    last_updated_timestamp: at,
    user_id: version.author,
    current_stage: 'None',
    description: version.note,
    source: versionLocation(version),
    ...(version.run !== null && { run_id: mlflowRunId(version.run) }),
    status: 'READY',
    aliases: version.aliases,
  }
}
