import { getModel, importVersion, type ModelSpec, putModel, setAlias } from '#modules/registry/contract.ts'
import { PaveError } from '#platform/errors.ts'
import { folderTag } from '#platform/names.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { contentOfPrompt, promptTag, stageOf } from '../../protocols/mlflow/model-versions.ts'
import { contentOfSource, type SourceReader } from '../../protocols/mlflow/register-source.ts'
import { carefulTier } from '../../protocols/mlflow/registered-models.ts'
import { type Copied, type CopyOptions, instant, storeObject, tryCopying, uuidOf } from './copied.ts'
import type { MlflowModel, MlflowVersion } from './mlflow-source.ts'

/**
 * Copies registered models and prompts with the numbers, times, stages and aliases of their versions. A version's files
 * are those that the run or logged model it was registered from has here.
 */
export async function copyRegistry({ source, client, say }: CopyOptions, copied: Copied): Promise<void> {
  for await (const model of source.models()) {
    await tryCopying(`model ${model.name}`, { copied, say }, async () => {
      await putIfNew(client, model)
      const here = new Set<number>()
      for await (const version of source.versions(model.name)) {
        await tryCopying(`${model.name} version ${version.version}`, { copied, say }, async () => {
          await client.call(importVersion, {
            ...(await contentOf(client, version)),
            number: version.version,
            registeredAt: instant(version.creation_timestamp),
            stage: stageOf(version.current_stage),
          })
          here.add(version.version)
          copied.versions++
        })
      }
      for (const { alias, version } of model.aliases) {
        if (here.has(version)) await client.call(setAlias, { model: model.name, alias, version })
      }
      copied.models++
    })
  }
}

/** One that is here is its owners'. */
async function putIfNew(
  client: Client,
  { name, description, tags: { [folderTag]: folder, ...tags } }: MlflowModel,
): Promise<void> {
  try {
    await client.call(getModel, { model: name })
  } catch (error) {
    if (!(error instanceof PaveError) || error.code !== 'model_not_found') throw error
    const task: ModelSpec['task'] = tags[promptTag] === 'true' ? 'prompt' : 'other'
    const spec = { description, owner: tags['pave.owner'] ?? 'nobody yet', tier: carefulTier, task, tags }
    await client.call(putModel, { model: name, spec, folder })
  }
}

async function contentOf(client: Client, version: MlflowVersion) {
  const { name, source, run_id, description, tags } = version
  if (tags[promptTag] === 'true') return contentOfPrompt({ model: name, source, note: description, tags })
  return contentOfSource(readerOf(client), {
    model: name,
    source: sourceHere(version),
    run: run_id ? uuidOf(run_id) : undefined,
    loggedModel: undefined,
    note: description,
    tags,
  })
}

/** Wherever the other server kept the files, the path tells whose they are; the ids are the same here. */
function sourceHere({ source, model_id, run_id }: MlflowVersion): string {
  const model = model_id || /(?:^models:\/|\/models\/)(m-[0-9a-f]{32})(?:\/artifacts)?\/?$/.exec(source)?.[1]
  if (model) return `models:/${model}`
  const [, run, path] = /(?:^runs:\/|\/)([0-9a-f]{32})(?:\/artifacts)?\/(.+)$/.exec(source) ?? []
  if (run !== undefined) return `runs:/${run}/${path}`
  return run_id && !source.includes(':') ? `runs:/${run_id}/${source}` : source
}

function readerOf(client: Client): SourceReader {
  return {
    run: (operation, input) => client.call(operation, input),
    read: async (digest) => Buffer.from(await (await client.raw('GET', `/api/v1/objects/${digest}`)).arrayBuffer()),
    store: async (text) => (await storeObject(client, text)).digest,
  }
}
