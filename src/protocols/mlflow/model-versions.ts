import { z } from 'zod'
import {
  deleteVersion,
  getVersion,
  registerVersion,
  type Stage,
  searchVersions,
  updateVersion,
  type Version,
} from '#modules/registry/contract.ts'
import { cursorOf, endpoint, KeyValues, keyValues, maxResults, nextPage, omitEmpty, Texts } from './endpoint.ts'
import { invalid } from './errors.ts'
import { versionLocation } from './location.ts'
import { registerSource } from './register-source.ts'
import { mlflowRunId, runUuid } from './run-id.ts'

export const promptTag = 'mlflow.prompt.is_prompt'
/** What a prompt is; its other tags may change. */
const promptContent = new Set([
  promptTag,
  'mlflow.prompt.text',
  '_mlflow_prompt_type',
  '_mlflow_prompt_response_format',
])
/** A prompt has no files, but the request must have a source, and these are what MLflow's own clients send. */
const promptSources = new Set(['dummy-source', 'prompt-template'])

interface Prompt {
  model: string
  source: string
  note: string
  tags: Record<string, string>
}

/** A prompt as what is registered. */
export function contentOfPrompt({ tags, ...prompt }: Prompt) {
  const fixed = Object.entries(tags).filter(([key]) => promptContent.has(key))
  const others = Object.entries(tags).filter(([key]) => !promptContent.has(key))
  return { ...prompt, properties: Object.fromEntries(fixed), tags: Object.fromEntries(others) }
}

const stages = { none: 'None', staging: 'Staging', production: 'Production', archived: 'Archived' } as const

/** In any case, as MLflow reads it. */
export function stageOf(name: string): Stage {
  const stage = Object.entries(stages).find(([, one]) => one.toLowerCase() === name.toLowerCase())
  const parsed = updateVersion.input.shape.stage.safeParse(stage?.[0])
  if (parsed.success && parsed.data !== undefined) return parsed.data
  throw invalid(
    `Invalid Model Version stage: ${name.slice(0, 100)}. It must be one of ${Object.values(stages).join(', ')}`,
  )
}

export const versionNumber = z.coerce.string().regex(/^\d{1,9}$/, 'a version is a number')

const ByVersion = z.object({ name: z.string(), version: versionNumber })
const ByTag = ByVersion.extend({ key: z.string() })

const refOf = ({ name, version }: z.output<typeof ByVersion>) => `${name}@${Number(version)}`

export const modelVersions = [
  endpoint(
    'POST',
    'model-versions/create',
    z.object({
      name: z.string(),
      source: z.string(),
      run_id: z.string().optional(),
      model_id: z.string().optional(),
      description: z.string().default(''),
      tags: KeyValues,
    }),
    async (call, { name, source, run_id, model_id, description, tags }) => {
      if (tags[promptTag]?.toLowerCase() === 'true') {
        if (!promptSources.has(source)) throw invalid('Invalid model version source: a prompt has no files')
        const content = contentOfPrompt({ model: name, source, note: description, tags })
        const prompt = await call.run(registerVersion, content)
        return { model_version: wireVersion(prompt) }
      }
      const version = await registerSource(call, {
        model: name,
        source: model_id ? `models:/${model_id}` : source,
        run: run_id ? runUuid(run_id) : undefined,
        loggedModel: model_id || undefined,
        note: description,
        tags,
      })
      return { model_version: wireVersion(version) }
    },
  ),
  endpoint('GET', 'model-versions/get', ByVersion, async (call, request) => ({
    model_version: wireVersion(await call.run(getVersion, { version: refOf(request) })),
  })),
  endpoint(
    'PATCH',
    'model-versions/update',
    ByVersion.extend({ description: z.string().default('') }),
    async (call, request) => ({
      model_version: wireVersion(await call.run(updateVersion, { version: refOf(request), note: request.description })),
    }),
  ),
  endpoint(
    'POST',
    'model-versions/transition-stage',
    ByVersion.extend({ stage: z.string(), archive_existing_versions: z.boolean().default(false) }),
    async (call, request) => {
      const stage = stageOf(request.stage)
      const archiveOthers = request.archive_existing_versions
      if (archiveOthers && stage !== 'staging' && stage !== 'production') {
        throw invalid('Versions are archived only when one moves to Staging or Production')
      }
      return {
        model_version: wireVersion(await call.run(updateVersion, { version: refOf(request), stage, archiveOthers })),
      }
    },
  ),
  endpoint('DELETE', 'model-versions/delete', ByVersion, async (call, request) => {
    await call.run(deleteVersion, { version: refOf(request) })
    return {}
  }),
  endpoint('POST', 'model-versions/set-tag', ByTag.extend({ value: z.string() }), async (call, request) => {
    await call.run(updateVersion, { version: refOf(request), tags: { [request.key]: request.value } })
    return {}
  }),
  endpoint('DELETE', 'model-versions/delete-tag', ByTag, async (call, request) => {
    await call.run(updateVersion, { version: refOf(request), removeTags: [request.key] })
    return {}
  }),
  endpoint('GET', 'model-versions/get-download-uri', ByVersion, async (call, request) => ({
    artifact_uri: versionLocation(await call.run(getVersion, { version: refOf(request) })),
  })),
  endpoint(
    'GET',
    'model-versions/search',
    z.object({
      filter: z.string().optional(),
      max_results: maxResults(200_000),
      order_by: Texts,
      page_token: z.string().optional(),
    }),
    async (call, { filter, max_results = 1000, order_by, page_token }) => {
      const { items, nextCursor } = await call.run(searchVersions, {
        filter,
        orderBy: order_by,
        limit: Math.min(max_results, 1000),
        ...cursorOf(page_token),
      })
      return omitEmpty({ model_versions: items.map(wireVersion), ...nextPage(nextCursor) })
    },
  ),
]

export function wireVersion(version: Version) {
  return omitEmpty({
    name: version.model,
    version: String(version.version),
    creation_timestamp: Date.parse(version.registeredAt),
    last_updated_timestamp: Date.parse(version.changedAt),
    user_id: version.author,
    current_stage: stages[version.stage],
    description: version.note,
    source: version.source ?? versionLocation(version),
    run_id: version.run === null ? '' : mlflowRunId(version.run),
    run_link: '',
    status: 'READY',
    tags: keyValues({ ...version.tags, ...version.properties }),
    aliases: version.aliases,
    model_id: version.loggedModel,
  })
}
