import { z } from 'zod'
import { findModel, resolveVersion } from '#modules/registry/queries.ts'
import type { Entry } from '#platform/ledger/entry.ts'
import type { Db } from '#platform/storage/database/database.ts'
import { RegistryEvent } from './contract.ts'

export interface WebhookEvent {
  /** `model_version.created`, `operation.start-release`. */
  event: string
  data: Record<string, unknown>
}

/** Bytes of a body; tags and texts beyond it are left out. */
const largestBody = 1_000_000

/** The operations behind each event, without those that are operations themselves. */
const operationsOf: Record<RegistryEvent, string | readonly string[]> = {
  'registered_model.created': 'put-model',
  'model_version.created': 'register-version',
  'model_version_tag.set': 'update-version',
  'model_version_tag.deleted': 'update-version',
  'model_version_alias.created': ['set-alias', 'undo-alias-move'],
  'model_version_alias.deleted': ['delete-alias', 'undo-alias-move'],
  'prompt.created': 'put-model',
  'prompt_version.created': 'register-version',
  'prompt_tag.set': 'put-model',
  'prompt_tag.deleted': 'put-model',
  'prompt_version_tag.set': 'update-version',
  'prompt_version_tag.deleted': 'update-version',
  'prompt_alias.created': ['set-alias', 'undo-alias-move'],
  'prompt_alias.deleted': ['delete-alias', 'undo-alias-move'],
}

/** The operations of the ledger that some events are made of. */
export function operationsBehind(events: readonly string[]): string[] {
  const operations = events.flatMap((event) => {
    const known = RegistryEvent.safeParse(event)
    return known.success ? operationsOf[known.data] : event.replace(/^operation\./, '')
  })
  return [...new Set(operations)]
}

/**
 * What webhooks may be told of an entry, always in the same order. The ledger has names and keys only: descriptions and the
 * values of tags are what they are by now.
 */
export async function eventsOf(db: Db, entry: Entry): Promise<WebhookEvent[]> {
  if (entry.outcome === 'refused') return []
  const operation = { event: `operation.${entry.operation}`, data: { ...entry } }
  const ofRegistry = entry.outcome === 'done' ? await (registryReadings[entry.operation]?.(db, entry) ?? []) : []
  return [operation, ...ofRegistry]
}

const registryReadings: Record<string, ((db: Db, entry: Entry) => Promise<WebhookEvent[]>) | undefined> = {
  'put-model': modelEvents,
  'register-version': versionEvents,
  'update-version': versionTagEvents,
  'set-alias': aliasEvents,
  'delete-alias': aliasEvents,
  'undo-alias-move': aliasEvents,
}

const promptTag = 'mlflow.prompt.is_prompt'
/** What makes a prompt of a model is not among its tags for whoever is told of it. */
const promptText = 'mlflow.prompt.text'
const inner = new Set([promptTag, promptText, '_mlflow_prompt_type'])

/** Facts of `put-model` and `update-version`. */
const ChangedTags = z.object({
  created: z.boolean().default(false),
  tagsSet: z.array(z.string()).default([]),
  tagsRemoved: z.array(z.string()).default([]),
})

async function modelEvents(db: Db, entry: Entry): Promise<WebhookEvent[]> {
  const name = subjectOf(entry, 'model')
  const spec = (await findModel(db, name))?.spec
  const { created, tagsSet, tagsRemoved } = ChangedTags.parse(entry.facts ?? {})
  const tags = spec?.tags ?? {}
  const prompt = tags[promptTag] === 'true'
  if (created) {
    const described = { name, tags: prompt ? outer(tags) : tags, description: spec?.description ?? '' }
    return [{ event: prompt ? 'prompt.created' : 'registered_model.created', data: described }]
  }
  // MLflow tells of the tags of prompts, and not of those of models.
  return prompt ? tagEvents('prompt_tag', { name }, tags, tagsSet, tagsRemoved) : []
}

async function versionEvents(db: Db, entry: Entry): Promise<WebhookEvent[]> {
  if (entry.facts?.alreadyRegistered === true) return []
  const { name, version } = versionOf(entry)
  const found = await findVersion(db, entry)
  const tags = { ...found?.properties, ...found?.tags }
  const description = found?.note ? found.note : null
  if (await isPrompt(db, name)) {
    const template = tags[promptText] ?? null
    return [{ event: 'prompt_version.created', data: { name, version, template, tags: outer(tags), description } }]
  }
  const source = found?.source ?? `models:/${name}/${version}`
  const run_id = found?.run?.replaceAll('-', '') ?? null
  return [{ event: 'model_version.created', data: { name, version, source, run_id, tags, description } }]
}

async function versionTagEvents(db: Db, entry: Entry): Promise<WebhookEvent[]> {
  const { name, version } = versionOf(entry)
  const { tagsSet, tagsRemoved } = ChangedTags.parse(entry.facts ?? {})
  const of = (await isPrompt(db, name)) ? 'prompt_version_tag' : 'model_version_tag'
  const tags = tagsSet.length > 0 ? ((await findVersion(db, entry))?.tags ?? {}) : {}
  return tagEvents(of, { name, version }, tags, tagsSet, tagsRemoved)
}

async function aliasEvents(db: Db, entry: Entry): Promise<WebhookEvent[]> {
  const { name, version } = versionOf(entry)
  const of = (await isPrompt(db, name)) ? 'prompt_alias' : 'model_version_alias'
  const alias = String(entry.facts?.alias ?? '')
  const gone = entry.operation === 'delete-alias' || entry.facts?.to === null
  return gone
    ? [{ event: `${of}.deleted`, data: { name, alias } }]
    : [{ event: `${of}.created`, data: { name, alias, version } }]
}

function tagEvents(
  of: string,
  named: { name: string; version?: string },
  tags: Record<string, string>,
  set: readonly string[],
  removed: readonly string[],
): WebhookEvent[] {
  return [
    ...set.map((key) => ({ event: `${of}.set`, data: { ...named, key, value: tags[key] ?? '' } })),
    ...removed.map((key) => ({ event: `${of}.deleted`, data: { ...named, key } })),
  ]
}

async function isPrompt(db: Db, model: string): Promise<boolean> {
  return (await findModel(db, model))?.spec.tags[promptTag] === 'true'
}

/** Undefined when it has been removed since. */
const findVersion = (db: Db, entry: Entry) => resolveVersion(db, subjectOf(entry, 'version')).catch(() => undefined)

function versionOf(entry: Entry): { name: string; version: string } {
  const ref = subjectOf(entry, 'version')
  const at = ref.lastIndexOf('@')
  return { name: ref.slice(0, at), version: ref.slice(at + 1) }
}

const subjectOf = (entry: Entry, kind: string) => entry.subjects.find((one) => one.kind === kind)?.id ?? ''

const outer = (tags: Record<string, string>) =>
  Object.fromEntries(Object.entries(tags).filter(([key]) => !inner.has(key)))

/** The envelope as MLflow sends it. */
export function bodyOf({ event, data }: WebhookEvent, at: string): string {
  const [entity = '', action = ''] = event.split('.', 2)
  const envelope = { entity, action, timestamp: at.replace(/Z$/, '+00:00') }
  const whole = JSON.stringify({ ...envelope, data })
  if (Buffer.byteLength(whole) <= largestBody) return whole
  const short = Object.entries(data).filter(([, value]) => JSON.stringify(value ?? null).length <= 10_000)
  return JSON.stringify({ ...envelope, data: { ...Object.fromEntries(short), truncated: true } })
}

const version = { name: 'example_model', version: '1' }
const promptVersion = { name: 'example_prompt', version: '1' }
const key = 'example_key'
const value = 'example_value'
const alias = 'example_alias'
const tags = { [key]: value }

/** The examples of MLflow. */
const examples: Record<RegistryEvent, Record<string, unknown>> = {
  'registered_model.created': { name: version.name, tags, description: 'An example registered model' },
  'model_version.created': {
    ...version,
    source: 'models:/123',
    run_id: 'abcd1234abcd5678',
    tags,
    description: 'An example model version',
  },
  'model_version_tag.set': { ...version, key, value },
  'model_version_tag.deleted': { ...version, key },
  'model_version_alias.created': { ...version, alias },
  'model_version_alias.deleted': { name: version.name, alias },
  'prompt.created': { name: promptVersion.name, tags, description: 'An example prompt' },
  'prompt_version.created': {
    ...promptVersion,
    template: 'Hello {{name}}!',
    tags,
    description: 'An example prompt version',
  },
  'prompt_tag.set': { name: promptVersion.name, key, value },
  'prompt_tag.deleted': { name: promptVersion.name, key },
  'prompt_version_tag.set': { ...promptVersion, key, value },
  'prompt_version_tag.deleted': { ...promptVersion, key },
  'prompt_alias.created': { ...promptVersion, alias },
  'prompt_alias.deleted': { name: promptVersion.name, alias },
}

/** What a test sends: an entry that is in no ledger, for an operation. */
export function exampleOf(
  event: string,
  made: { id: string; at: string; workspace: string; actor: { kind: string; id: string } },
): WebhookEvent {
  const known = RegistryEvent.safeParse(event)
  if (known.success) return { event, data: examples[known.data] }
  const { kind, id } = made.actor
  const entry = {
    version: 1,
    id: made.id,
    at: made.at,
    workspace: made.workspace,
    actor: { kind, id },
    operation: event.replace(/^operation\./, ''),
    outcome: 'done',
    subjects: [{ kind: 'example', id: 'example' }],
    facts: { test: true },
  }
  return { event, data: entry }
}
