import type { Version } from '#modules/registry/contract.ts'
import type { LoggedModel, TrackingRun } from '#modules/tracking/contract.ts'
import { VersionRef } from '#platform/names.ts'
import { invalid } from './errors.ts'
import { mlflowRunId, tryRunUuid } from './run-id.ts'

/** Where a file is: among the artifacts of a run or logged model, attached to a trace, or one that a registered version shows. */
export type Location =
  | { kind: 'artifact'; owner: string; path: string }
  | { kind: 'attachment'; trace: string; path: string }
  | { kind: 'version'; version: string; path: string }

const scheme = 'mlflow-artifacts:/'

export function experimentLocation(experiment: string): string {
  return `${scheme}${experiment}`
}

export function runLocation({ experiment, run }: Pick<TrackingRun, 'experiment' | 'run'>): string {
  return `${experimentLocation(experiment)}/${mlflowRunId(run)}/artifacts`
}

export function loggedModelLocation({ experiment, loggedModel }: LoggedModel): string {
  return `${experimentLocation(experiment)}/models/${loggedModel}/artifacts`
}

export function traceLocation({ experiment, trace }: { experiment: string; trace: string }): string {
  return `${experimentLocation(experiment)}/traces/${trace}/artifacts`
}

export function versionLocation({ model, version }: Pick<Version, 'model' | 'version'>): string {
  return `${scheme}versions/${model}/${version}/artifacts`
}

/** Reads a path of the artifact proxy. The one place where such paths get a meaning; none of them is a file of ours. */
export function locationOf(proxyPath: string): Location {
  const [, root = '', path = ''] = /^(.+?\/artifacts)(?:\/(.*?))?\/?$/s.exec(proxyPath) ?? []
  const [, run = ''] = /^\d+\/([0-9a-fA-F]{32})\/artifacts$/.exec(root) ?? []
  const [, loggedModel] = /^\d+\/models\/(m-[0-9a-f]{32})\/artifacts$/.exec(root) ?? []
  const [, trace] = /^\d+\/traces\/(tr-[0-9a-f]{32})\/artifacts$/.exec(root) ?? []
  const [, model, version] = /^versions\/([^/]+)\/(\d+)\/artifacts$/.exec(root) ?? []
  const owner = loggedModel ?? tryRunUuid(run)
  if (owner !== undefined) return { kind: 'artifact', owner, path }
  if (trace !== undefined) return { kind: 'attachment', trace, path }
  if (model !== undefined) return { kind: 'version', version: `${model}@${version}`, path }
  throw invalid(
    `Invalid path: ${proxyPath.slice(0, 200)} is not inside the artifacts of a run, model, trace or version`,
  )
}

/** Reads the source of a model version: `models:/m-…`, `models:/name/1`, `runs:/…` or `mlflow-artifacts:/…`. */
export function locationOfSource(source: string): Exclude<Location, { kind: 'attachment' }> {
  const [, loggedModel] = /^models:\/(m-[0-9a-f]{32})$/.exec(source) ?? []
  if (loggedModel !== undefined) return { kind: 'artifact', owner: loggedModel, path: '' }
  const [, model, version] = /^models:\/([^/@]+)[/@]([^/@]+)$/.exec(source) ?? []
  if (model !== undefined && VersionRef.safeParse(`${model}@${version}`).success) {
    return { kind: 'version', version: `${model}@${version}`, path: '' }
  }
  const [, run = '', path = ''] = /^runs:\/([0-9a-fA-F]{32})\/(.+)$/s.exec(source) ?? []
  const owner = tryRunUuid(run)
  if (owner !== undefined) return { kind: 'artifact', owner, path }
  const inProxy = source.startsWith(scheme) ? locationOf(source.slice(scheme.length).replace(/^\/+/, '')) : undefined
  if (inProxy !== undefined && inProxy.kind !== 'attachment') return inProxy
  throw invalid(
    `Invalid model version source: '${source.slice(0, 200)}'. It must be models:/<logged model>, models:/<name>/<version>, runs:/<run>/<path> or a path below ${scheme}`,
  )
}
