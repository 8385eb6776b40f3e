import { z } from 'zod'
import {
  deleteAlias,
  deleteModel,
  getModel,
  getVersion,
  ModelSpec,
  putModel,
  renameModel,
  searchModels,
  searchVersions,
  setAlias,
  type Version,
} from '#modules/registry/contract.ts'
import { PaveError } from '#platform/errors.ts'
import { folderTag } from '#platform/names.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { etagOf } from '#platform/run-operation.ts'
import {
  type Call,
  cursorOf,
  endpoint,
  KeyValues,
  keyValues,
  maxResults,
  nextPage,
  omitEmpty,
  Texts,
} from './endpoint.ts'
import { invalid, MlflowError } from './errors.ts'
import { withFolderTag } from './folder-tag.ts'
import { promptTag, stageOf, versionNumber, wireVersion } from './model-versions.ts'

type Model = AnswerOf<typeof getModel>

const ByName = z.object({ name: z.string() })
const ByAlias = ByName.extend({ alias: z.string() })
const ByTag = ByName.extend({ key: z.string() })
const Latest = ByName.extend({ stages: Texts })

/**
 * Who registers a model from a notebook says nothing of its owner and risk, so it is theirs and of tier 2, which policies
 * usually make approvals of, until a manifest says better or the tags `pave.owner`, `pave.tier` and `pave.task` do.
 */
export const carefulTier = 2

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
    async (call, { name, description }) => ({
      registered_model: await wireModel(call, await changeSpec(call, name, (spec) => ({ ...spec, description }))),
    }),
  ),
  endpoint('POST', 'registered-models/rename', ByName.extend({ new_name: z.string() }), async (call, request) => ({
    registered_model: await wireModel(
      call,
      await call.run(renameModel, { model: request.name, name: request.new_name }),
    ),
  })),
  endpoint('DELETE', 'registered-models/delete', ByName, async (call, { name }) => {
    await call.run(deleteModel, { model: name })
    return {}
  }),
  endpoint('POST', 'registered-models/set-tag', ByTag.extend({ value: z.string() }), async (call, request) => {
    const { name, key, value } = request
    if (key === folderTag) return moveTo(call, name, value)
    await changeSpec(call, name, (spec) => ({ ...spec, tags: { ...spec.tags, [key]: value } }))
    return {}
  }),
  endpoint('DELETE', 'registered-models/delete-tag', ByTag, async (call, { name, key }) => {
    if (key === folderTag) return moveTo(call, name, '')
    await changeSpec(call, name, (spec) => {
      const { [key]: _, ...tags } = spec.tags
      return { ...spec, tags }
    })
    return {}
  }),
  endpoint(
    'GET',
    'registered-models/search',
    z.object({
      filter: z.string().optional(),
      max_results: maxResults(1000),
      order_by: Texts,
      page_token: z.string().optional(),
    }),
    async (call, { filter, max_results, order_by, page_token }) => {
      const { items, nextCursor } = await call.run(searchModels, {
        filter,
        orderBy: order_by,
        limit: max_results ?? 100,
        ...cursorOf(page_token),
      })
      return omitEmpty({ registered_models: await wireModels(call, items), ...nextPage(nextCursor) })
    },
  ),
  endpoint('POST', 'registered-models/get-latest-versions', Latest, latestVersions),
  endpoint('GET', 'registered-models/get-latest-versions', Latest, latestVersions),
  endpoint('POST', 'registered-models/alias', ByAlias.extend({ version: versionNumber }), async (call, request) => {
    await call.run(setAlias, { model: request.name, alias: request.alias, version: Number(request.version) })
    return {}
  }),
  endpoint('GET', 'registered-models/alias', ByAlias, async (call, { name, alias }) => {
    const version = (await call.run(getModel, { model: name })).aliases[alias]
    // A parameter of the wrong value, says MLflow, and clients look for that.
    if (version === undefined) throw invalid(`Registered model alias ${alias.slice(0, 300)} not found.`)
    return { model_version: wireVersion(await call.run(getVersion, { version: `${name}@${version}` })) }
  }),
  endpoint('DELETE', 'registered-models/alias', ByAlias, async (call, { name, alias }) => {
    const { aliases } = await call.run(getModel, { model: name })
    if (aliases[alias] !== undefined) await call.run(deleteAlias, { model: name, alias })
    return {}
  }),
]

async function createModel(
  call: Call,
  name: string,
  description: string,
  tags: Record<string, string>,
): Promise<Model> {
  const { 'pave.owner': owner, 'pave.tier': tier, 'pave.task': task, [folderTag]: folder, ...others } = tags
  const spec = ModelSpec.safeParse({
    description,
    owner: owner ?? call.actor.name,
    tier: tier === undefined ? carefulTier : Number(tier),
    task: task ?? (tags[promptTag] === 'true' ? 'prompt' : 'other'),
    tags: others,
  })
  if (!spec.success) {
    const problems = spec.error.issues.slice(0, 10)
    throw invalid(problems.map(({ path, message }) => `${path.join('.').slice(0, 300)}: ${message}`).join('; '))
  }
  if (await exists(call, name)) {
    throw new MlflowError('RESOURCE_ALREADY_EXISTS', `Registered Model (name=${name}) already exists`)
  }
  return call.run(putModel, { model: name, spec: spec.data, folder })
}

async function moveTo(call: Call, model: string, folder: string): Promise<object> {
  await changeSpec(call, model, (spec) => spec, folder)
  return {}
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

const attempts = 5

/** What others change meanwhile stays: whoever comes second reads again. */
async function changeSpec(
  call: Call,
  model: string,
  change: (spec: ModelSpec) => ModelSpec,
  folder?: string,
): Promise<Model> {
  for (let attempt = 1; ; attempt++) {
    const { spec } = await call.run(getModel, { model })
    try {
      return await call.run(putModel, { model, spec: change(spec), folder }, { ifMatch: etagOf(spec) })
    } catch (error) {
      if (!(error instanceof PaveError) || error.status !== 412 || attempt === attempts) throw error
    }
  }
}

/** Of each stage, as MLflow does: a version that nobody gave a stage is in one too. */
async function latestVersions(call: Call, { name, stages }: z.output<typeof Latest>) {
  const wanted = stages.map(stageOf)
  await call.run(getModel, { model: name })
  const { items } = await call.run(searchVersions, { models: [name], latest: true })
  const found = items.filter(({ stage }) => wanted.length === 0 || wanted.includes(stage))
  return omitEmpty({ model_versions: found.map(wireVersion) })
}

async function wireModel(call: Call, model: Model) {
  const [wired] = await wireModels(call, [model])
  return wired
}

async function wireModels(call: Call, models: readonly Model[]) {
  const latest = await latestOf(
    call,
    models.flatMap(({ model, latestVersion }) => (latestVersion === null ? [] : [model])),
  )
  return models.map(({ model, folder, spec, aliases, createdAt, changedAt }) =>
    omitEmpty({
      name: model,
      creation_timestamp: Date.parse(createdAt),
      last_updated_timestamp: Date.parse(changedAt),
      description: spec.description || undefined,
      tags: keyValues(withFolderTag(spec.tags, folder)),
      aliases: Object.entries(aliases).map(([alias, version]) => ({ alias, version: String(version) })),
      latest_versions: (latest.get(model) ?? []).map(wireVersion),
    }),
  )
}

async function latestOf(call: Call, models: string[]): Promise<Map<string, Version[]>> {
  const found: Version[] = []
  // Four stages of 250 models are one page.
  for (let at = 0; at < models.length; at += 250) {
    const { items } = await call.run(searchVersions, { models: models.slice(at, at + 250), latest: true, limit: 1000 })
    found.push(...items)
  }
  return Map.groupBy(found, ({ model }) => model)
}
