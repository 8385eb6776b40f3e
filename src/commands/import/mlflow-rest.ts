import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { clientFailure } from '#platform/surfaces/client-errors.ts'
import {
  type ArtifactFile,
  type ArtifactRoot,
  MlflowExperiment,
  MlflowLoggedModel,
  MlflowModel,
  MlflowPoint,
  MlflowRun,
  type MlflowSource,
  MlflowVersion,
} from './mlflow-source.ts'

const attempts = 5
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

type Parameters = Record<string, string | number | readonly string[] | undefined>

/** A tracking server of MLflow, or whatever speaks its protocol. User and password may stand in the URL. */
export function openMlflowServer(text: string, { token }: { token: string | undefined }): MlflowSource {
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
        throw clientFailure('unexpected_answer', `${base} ${method} ${path}: ${said.slice(0, 300)}`)
      }
      await sleep(200 * 2 ** attempt)
    }
  }

  const get = async (path: string, parameters: Parameters) => {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) query.set(name, String(value))
    return (await send('GET', `/api/2.0/mlflow/${path}?${query}`)).json()
  }
  const post = async (path: string, body: Parameters) => (await send('POST', `/api/2.0/mlflow/${path}`, body)).json()

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

  async function* below(root: ArtifactRoot, path: string | undefined): AsyncGenerator<ArtifactFile> {
    const list = (page_token: string | undefined) =>
      root.kind === 'run'
        ? get('artifacts/list', { run_id: root.id, path, page_token })
        : get(`logged-models/${root.id}/artifacts/directories`, { artifact_directory_path: path, page_token })
    for await (const file of all(Files, list, ({ files }) => files)) {
      if (file.is_dir) yield* below(root, file.path)
      else yield { path: file.path, size: file.file_size }
    }
  }

  return {
    name: base,
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
    async *models() {
      // A search leaves prompts out unless its filter asks for them.
      for (const filter of [undefined, "tags.`mlflow.prompt.is_prompt` = 'true'"]) {
        yield* all(
          z.object({ registered_models: z.array(MlflowModel).default([]), ...Token }),
          (page_token) => get('registered-models/search', { filter, max_results: 100, page_token }),
          ({ registered_models }) => registered_models,
        )
      }
    },
    async *versions(model) {
      const found = all(
        z.object({ model_versions: z.array(MlflowVersion).default([]), ...Token }),
        (page_token) =>
          get('model-versions/search', {
            filter: `name='${model.replaceAll("'", "''")}'`,
            max_results: 1000,
            page_token,
          }),
        ({ model_versions }) => model_versions,
      )
      yield* (await Array.fromAsync(found)).sort((a, b) => a.version - b.version)
    },
    artifacts: (root) => below(root, undefined),
    async open({ kind, id }, path) {
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

function failed(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return error.cause instanceof Error ? error.cause : error
}
