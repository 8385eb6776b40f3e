import {
  type FileTree,
  getModel,
  importVersion,
  type ModelSpec,
  putModel,
  setAlias,
} from '#modules/registry/contract.ts'
import { PaveError } from '#platform/errors.ts'
import { folderTag } from '#platform/names.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { MlflowError } from '../../protocols/mlflow/errors.ts'
import { contentOfPrompt, promptTag, stageOf } from '../../protocols/mlflow/model-versions.ts'
import { contentOfFiles, contentOfSource, type SourceReader } from '../../protocols/mlflow/register-source.ts'
import { carefulTier } from '../../protocols/mlflow/registered-models.ts'
import { graphFile } from '../../protocols/mlflow/version-files.ts'
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
            ...(await contentOf({ source, client, copied }, version)),
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

async function contentOf(copying: Copying, version: MlflowVersion) {
  const { name, run_id, description, tags } = version
  const { client } = copying
  if (tags[promptTag] === 'true') {
    return contentOfPrompt({ model: name, source: version.source, note: description, tags })
  }
  const source = {
    model: name,
    source: sourceHere(version),
    run: run_id ? uuidOf(run_id) : undefined,
    loggedModel: undefined,
    note: description,
    tags,
  }
  try {
    return await contentOfSource(readerOf(client), source)
  } catch (error) {
    if (!(error instanceof PaveError || error instanceof MlflowError)) throw error
    const files = await copyVersionFiles(copying, version)
    if (files.length === 0) throw error
    const madeBy = source.run ?? null
    return contentOfFiles(readerOf(client), source, { files, graph: graphFile, madeBy, loggedModel: null })
  }
}

type Copying = Pick<CopyOptions, 'source' | 'client'> & { copied: Copied }

/** Of a version that came from no run or logged model, or outlived it. */
async function copyVersionFiles({ source, client, copied }: Copying, version: MlflowVersion): Promise<FileTree> {
  const root = await source.versionRoot(version)
  const files: FileTree = []
  for await (const { path } of source.artifacts(root)) {
    const { digest, size } = await storeObject(client, await source.open(root, path))
    files.push({ path, digest, size })
    copied.files++
    copied.bytes += size
  }
  return files
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
