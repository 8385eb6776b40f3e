import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Span } from '#modules/traces/contract.ts'
import { PaveError } from '#platform/errors.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import { statusOf } from './copied.ts'
import { parseExactly } from './exact-json.ts'
import {
  type ArtifactFile,
  type ArtifactRoot,
  MlflowDataset,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowModel,
  MlflowPoint,
  MlflowRecord,
  MlflowRun,
  MlflowScorer,
  type MlflowSource,
  MlflowVersion,
  MlflowWebhook,
  spansLocation,
} from './mlflow-source.ts'
import { readTraceFile, readWireSpans } from './read-spans.ts'
import { WireTrace } from './read-trace.ts'
import type { CopySource } from './verify-copy.ts'

const attempts = 5
/** More than any path has that MLflow takes: a server that nests its folders deeper goes round in a circle. */
const mostFolders = 250
const Token = { next_page_token: z.string().optional() }
const Files = z.object({
  files: z
    .array(
      z.object({
        path: z.string(),
        is_dir: z.boolean().default(false),
        file_size: z.union([z.number(), z.string().transform(Number)]).default(0),
      }),
    )
    .default([]),
  ...Token,
})

const WholeTrace = z.object({
  trace: z.object({ trace_info: z.object({ trace_id: z.string() }), spans: z.array(z.unknown()).default([]) }),
})
const WholeTraces = z.object({ traces: z.array(WholeTrace.shape.trace).default([]) })
const Scorers = z.object({ scorers: z.array(MlflowScorer).default([]) })

/** Searches leave prompts and their versions out unless the filter asks for them. */
const isPrompt = "tags.`mlflow.prompt.is_prompt` = 'true'"

type Parameters = Record<string, unknown>

/** Sends one request; what is no success is thrown. */
type Send = (method: string, path: string, body?: unknown) => Promise<Response>

/** A tracking server of MLflow, or whatever speaks its protocol. User and password may stand in the URL. */
export function openMlflowServer(text: string, { token }: { token: string | undefined }): MlflowSource {
  const { base, send } = mlflowServer(text, token)
  return mlflowBehind(base, send)
}

/** What Pave holds, as its own protocol for MLflow's clients tells it. */
export function openPave(client: Client): CopySource {
  return mlflowBehind(client.url, (method, path, body) =>
    client.raw(method, path, {
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }),
  )
}

function mlflowServer(text: string, token: string | undefined): { base: string; send: Send } {
  const url = new URL(text)
  const authorization =
    token !== undefined && token !== ''
      ? `Bearer ${token}`
      : url.username !== ''
        ? `Basic ${btoa(`${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`)}`
        : undefined
  url.username = url.password = ''
  const base = url.href.replace(/\/$/, '')

  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { ...(authorization && { authorization }) }
    if (body !== undefined) headers['content-type'] = 'application/json'
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${base}${path}`, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }).catch((error: unknown) => failed(error))
      if (response instanceof Response && response.ok) return response
      const said = response instanceof Response ? `${response.status} ${await response.text()}` : response.message
      const again = !(response instanceof Response) || response.status === 429 || response.status >= 500
      if (!again || attempt === attempts) {
        throw clientFailure('unexpected_answer', `${base} ${method} ${path}: ${said.slice(0, 300)}`, {
          details: { ...(response instanceof Response && { status: response.status }) },
        })
      }
      await sleep(200 * 2 ** attempt)
    }
  }
  return { base, send }
}

function mlflowBehind(name: string, send: Send): CopySource {
  const get = async (path: string, parameters: Parameters) => {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value))
    return (await send('GET', `/api/2.0/mlflow/${path}?${query}`)).json()
  }
  const post = async (path: string, body: Parameters) => (await send('POST', `/api/2.0/mlflow/${path}`, body)).json()
  const of3 = async (method: string, path: string, body?: unknown) =>
    (await send(method, `/api/3.0/mlflow/${path}`, body)).json()
  const wholeTraces = async (path: string) => parseExactly(await (await send('GET', `/api/3.0/mlflow/${path}`)).text())

  /** Every item of a list, page after page. */
  async function* all<Page extends { next_page_token?: string | undefined }, Item>(
    page: z.ZodType<Page>,
    ask: (token: string | undefined) => Promise<unknown>,
    items: (page: Page) => readonly Item[],
  ): AsyncGenerator<Item> {
    for (let token: string | undefined; ; ) {
      const answer = page.parse(await ask(token))
      yield* items(answer)
      token = answer.next_page_token
      if (token === undefined || token === '') return
    }
  }

  /** What the proxy of artifacts tells of a directory has names without their directory. */
  async function* belowProxy(root: ArtifactRoot, path: string, depth = 0): AsyncGenerator<ArtifactFile> {
    requireShallow(root, depth)
    const at = `${proxyPath(root)}${path === '' ? '' : `/${path}`}`
    const answer = await send('GET', `/api/2.0/mlflow-artifacts/artifacts?${new URLSearchParams({ path: at })}`)
    for (const { path: name, is_dir, file_size } of Files.parse(await answer.json()).files) {
      const inside = path === '' ? name : `${path}/${name}`
      if (is_dir) yield* belowProxy(root, inside, depth + 1)
      else yield { path: inside, size: file_size }
    }
  }

  async function* below(root: ArtifactRoot, path?: string, depth = 0): AsyncGenerator<ArtifactFile> {
    requireShallow(root, depth)
    if (root.kind === 'version') {
      if (root.root.startsWith('mlflow-artifacts:')) return yield* belowProxy(root, '')
      throw clientFailure('usage', `The files are at ${root.root}, which the server does not show`, {
        hint: 'Import from the file of its database, on a machine that has them.',
      })
    }
    const list = (page_token: string | undefined) =>
      root.kind === 'run'
        ? get('artifacts/list', { run_id: root.id, path, page_token })
        : get(`logged-models/${root.id}/artifacts/directories`, { artifact_directory_path: path, page_token })
    for await (const file of all(Files, list, ({ files }) => files)) {
      if (file.is_dir) yield* below(root, file.path, depth + 1)
      else yield { path: file.path, size: file.file_size }
    }
  }

  const tracesWhere = (experiment_id: string, filter: string | undefined) =>
    all(
      z.object({ traces: z.array(WireTrace).default([]), ...Token }),
      (page_token) =>
        of3('POST', 'traces/search', {
          locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id } }],
          max_results: 500,
          order_by: ['timestamp_ms ASC'],
          filter,
          page_token,
        }),
      ({ traces }) => traces,
    )

  async function* scorersOf(experiment_id: string) {
    const list = async (path: string) => Scorers.parse(await of3('GET', `scorers/${path}`)).scorers
    for (const { scorer_name } of await list(`list?${new URLSearchParams({ experiment_id })}`)) {
      const versions = await list(`versions?${new URLSearchParams({ experiment_id, name: scorer_name })}`)
      yield* versions.toSorted((a, b) => a.scorer_version - b.scorer_version)
    }
  }

  async function* allDatasets() {
    const found = all(
      z.object({ datasets: z.array(MlflowDataset).default([]), ...Token }),
      (page_token) => of3('POST', 'datasets/search', { max_results: 200, page_token }),
      ({ datasets }) => datasets,
    )
    for await (const dataset of found) {
      const answer = await of3('GET', `datasets/${dataset.dataset_id}/experiment-ids`)
      yield { ...dataset, ...MlflowDataset.pick({ experiment_ids: true }).parse(answer) }
    }
  }

  const absent = new Set<string>()

  /** What an older server has not, or this user may not see, is nothing. */
  async function* unlessAbsent<Item>(kind: string, items: AsyncIterable<Item>): AsyncGenerator<Item> {
    try {
      yield* items
    } catch (error) {
      if (!(error instanceof PaveError)) throw error
      if (![403, 404, 405, 501].includes(statusOf(error))) throw error
      absent.add(kind)
    }
  }

  return {
    name,
    absent,
    experiments: () =>
      all(
        z.object({ experiments: z.array(MlflowExperiment).default([]), ...Token }),
        (page_token) => post('experiments/search', { max_results: 1000, view_type: 'ALL', page_token }),
        ({ experiments }) => experiments,
      ),
    runs: (experiment) =>
      all(
        z.object({ runs: z.array(MlflowRun).default([]), ...Token }),
        (page_token) =>
          post('runs/search', {
            experiment_ids: [experiment],
            run_view_type: 'ALL',
            max_results: 200,
            order_by: ['attributes.start_time ASC'],
            page_token,
          }),
        ({ runs }) => runs,
      ),
    async run(run_id) {
      try {
        return z.object({ run: MlflowRun }).parse(await get('runs/get', { run_id })).run
      } catch (error) {
        if (error instanceof PaveError && error.status === 404) return undefined
        throw error
      }
    },
    async tracesOf(trace_ids) {
      const answer = await of3('POST', 'traces/batchGetInfos', { trace_ids })
      return z.object({ trace_infos: z.array(WireTrace).default([]) }).parse(answer).trace_infos
    },
    history: (run_id, metric_key) =>
      all(
        z.object({ metrics: z.array(MlflowPoint).default([]), ...Token }),
        (page_token) => get('metrics/get-history', { run_id, metric_key, max_results: 10_000, page_token }),
        ({ metrics }) => metrics,
      ),
    loggedModels: (experiment) =>
      all(
        z.object({ models: z.array(MlflowLoggedModel).default([]), ...Token }),
        (page_token) => post('logged-models/search', { experiment_ids: [experiment], max_results: 50, page_token }),
        ({ models }) => models,
      ),
    traces: (experiment) => unlessAbsent('traces', tracesWhere(experiment, undefined)),
    async *linkedTraces(run, experiment) {
      if (absent.has('traces')) return
      for await (const { trace, metadata } of tracesWhere(experiment, `attribute.run_id = '${run}'`)) {
        if (metadata['mlflow.sourceRun'] !== run) yield trace
      }
    },
    async spans(traces) {
      const found = new Map<string, Span[]>()
      const kept = traces.filter(({ tags }) => tags[spansLocation] !== undefined)
      if (kept.length > 0) {
        const query = new URLSearchParams(kept.map(({ trace }) => ['trace_ids', trace]))
        const answer = WholeTraces.parse(await wholeTraces(`traces/batchGet?${query}`))
        for (const one of answer.traces) found.set(one.trace_info.trace_id, readWireSpans(one.spans))
      }
      for (const { trace, tags } of traces) {
        if (found.has(trace)) continue
        if (tags[spansLocation] === 'TRACKING_STORE') {
          const query = new URLSearchParams({ trace_id: trace, allow_partial: 'true' })
          const answer = WholeTrace.parse(await wholeTraces(`traces/get?${query}`))
          found.set(trace, readWireSpans(answer.trace.spans))
        } else {
          const where = `/ajax-api/2.0/mlflow/get-trace-artifact?${new URLSearchParams({ request_id: trace })}`
          found.set(trace, readTraceFile(await (await send('GET', where)).text()))
        }
      }
      return found
    },
    async attachment({ trace }, id) {
      const query = new URLSearchParams({ request_id: trace, path: id })
      const { body } = await send('GET', `/ajax-api/3.0/mlflow/get-trace-artifact?${query}`)
      return body ?? new Blob([]).stream()
    },
    scorers: (experiment) => unlessAbsent('scorers', scorersOf(experiment)),
    datasets: () => unlessAbsent('evaluation datasets', allDatasets()),
    records: (dataset) =>
      all(
        z.object({ records: z.string().default('[]'), ...Token }),
        (page_token) => {
          const query = new URLSearchParams({ max_results: '1000', ...(page_token !== undefined && { page_token }) })
          return of3('GET', `datasets/${dataset}/records?${query}`)
        },
        ({ records }) => z.array(MlflowRecord).parse(JSON.parse(records)),
      ),
    webhooks: () =>
      unlessAbsent(
        'webhooks',
        all(
          z.object({ webhooks: z.array(MlflowWebhook).default([]), ...Token }),
          (page_token) => get('webhooks', { max_results: 100, page_token }),
          ({ webhooks }) => webhooks,
        ),
      ),
    async *models() {
      for (const filter of [undefined, isPrompt]) {
        yield* all(
          z.object({ registered_models: z.array(MlflowModel).default([]), ...Token }),
          (page_token) => get('registered-models/search', { filter, max_results: 100, page_token }),
          ({ registered_models }) => registered_models,
        )
      }
    },
    async *versions(model) {
      const name = `name='${model.replaceAll("'", "''")}'`
      const found = new Map<number, MlflowVersion>()
      for (const filter of [name, `${name} AND ${isPrompt}`]) {
        const versions = all(
          z.object({ model_versions: z.array(MlflowVersion).default([]), ...Token }),
          (page_token) => get('model-versions/search', { filter, max_results: 1000, page_token }),
          ({ model_versions }) => model_versions,
        )
        for await (const version of versions) found.set(version.version, version)
      }
      yield* [...found.values()].sort((a, b) => a.version - b.version)
    },
    async versionRoot({ name: model, version }) {
      const answer = await get('model-versions/get-download-uri', { name: model, version })
      return { kind: 'version', id: model, root: z.object({ artifact_uri: z.string() }).parse(answer).artifact_uri }
    },
    artifacts: (root) => below(root),
    async open(root, path) {
      const { kind, id } = root
      if (kind === 'version') {
        const at = `${proxyPath(root)}/${path}`.split('/').map(encodeURIComponent).join('/')
        const { body } = await send('GET', `/api/2.0/mlflow-artifacts/artifacts/${at}`)
        return body ?? new Blob([]).stream()
      }
      const where =
        kind === 'run'
          ? `/get-artifact?${new URLSearchParams({ path, run_uuid: id })}`
          : `/ajax-api/2.0/mlflow/logged-models/${id}/artifacts/files?${new URLSearchParams({ artifact_file_path: path })}`
      const { body } = await send('GET', where)
      return body ?? new Blob([]).stream()
    },
    close: async () => {},
  }
}

function requireShallow({ kind, id }: ArtifactRoot, depth: number): void {
  if (depth <= mostFolders) return
  throw clientFailure('unexpected_answer', `The folders of the ${kind} ${id} have more than ${mostFolders} levels`)
}

const proxyPath = ({ root }: ArtifactRoot) => root.replace(/^mlflow-artifacts:\/+/, '')

function failed(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return error.cause instanceof Error ? error.cause : error
}
