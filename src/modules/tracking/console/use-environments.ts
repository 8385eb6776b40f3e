import { useQueries } from '@tanstack/react-query'
import { client } from '../../../console/api.ts'
import { listArtifacts, searchLoggedModels, type TrackingRun } from '../contract.ts'
import { environmentFiles, modelPathsOf } from './environment-view.ts'

interface RunEnvironment {
  /** Of the run or logged model that has it. */
  owner: string
  path: string
  text: string
}

/** A list of packages is short; what is longer is none. */
const largestFile = 256 * 1024

/** What the models of each run need, or what the run itself wrote down; null where there is neither. */
export function useEnvironments(runs: readonly TrackingRun[]): { environments: (RunEnvironment | null | undefined)[] } {
  const answers = useQueries({
    queries: runs.map((run) => ({
      queryKey: ['environment', run.run],
      queryFn: ({ signal }: { signal: AbortSignal }) => environmentOf(run, signal),
      meta: { about: ['logged-model'] },
    })),
  })
  return { environments: answers.map(({ data, error }) => (error === null ? data : null)) }
}

async function environmentOf(run: TrackingRun, signal: AbortSignal): Promise<RunEnvironment | null> {
  const models = await client.call(
    searchLoggedModels,
    { experiments: [run.experiment], run: run.run, limit: 5 },
    { signal },
  )
  const places = [
    ...models.items.map(({ loggedModel }) => ({ owner: loggedModel })),
    ...modelPathsOf(run).map((path) => ({ owner: run.run, path })),
    { owner: run.run },
  ]
  for (const place of places) {
    const { items } = await client.call(listArtifacts, { ...place, limit: 1000 }, { signal })
    for (const name of environmentFiles) {
      const file = items.find(({ path }) => path === name || path.endsWith(`/${name}`))
      if (file === undefined || file.digest === null || file.size > largestFile) continue
      const answer = await client.raw('GET', `/api/v1/objects/${file.digest}`)
      return { owner: place.owner, path: file.path, text: await answer.text() }
    }
  }
  return null
}
