import type { TrackingRun } from '../contract.ts'
import type { ComparedValue } from './compare-runs-view.ts'

/** The packages of a requirements.txt, or of the pip part of a conda.yaml, and the versions that they are held to. */
export function packagesOf(text: string): Map<string, string> {
  const lines = text.split(/\r?\n/).map((line) =>
    line
      .replace(/(^|\s)#.*$/, '')
      .trim()
      .replace(/^-\s+/, ''),
  )
  return new Map(
    lines.flatMap((line) => {
      const [, name, rest] = /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*((?:[=<>!~]=?|===|@).+)?$/.exec(line) ?? []
      if (name === undefined || line.endsWith(':')) return []
      const version = (rest ?? 'any version').replace(/^={1,3}\s*/, '').trim()
      return [[name.toLowerCase().replaceAll(/[_.]/g, '-'), version] as const]
    }),
  )
}

/** Files that say what a model needs, best first. */
export const environmentFiles = ['requirements.txt', 'conda.yaml', 'python_env.yaml'] as const

/** Where clients before MLflow 3 put the files of models: among those of the run. */
export function modelPathsOf({ tags }: TrackingRun): string[] {
  try {
    const history: unknown = JSON.parse(tags['mlflow.log-model.history'] ?? '[]')
    if (!Array.isArray(history)) return []
    return history.flatMap((one) =>
      typeof one === 'object' && one !== null && 'artifact_path' in one && typeof one.artifact_path === 'string'
        ? [one.artifact_path]
        : [],
    )
  } catch {
    return []
  }
}

export function comparedPackages(environments: readonly (string | undefined)[]): ComparedValue[] {
  const packages = environments.map((text) => (text === undefined ? undefined : packagesOf(text)))
  const names = [...new Set(packages.flatMap((of) => [...(of?.keys() ?? [])]))].sort()
  return names.map((name) => {
    const texts = packages.map((of) => of?.get(name))
    const known = texts.filter((_, index) => packages[index] !== undefined)
    return { name, texts, differs: new Set(known).size > 1 }
  })
}

/** Where the code of a run came from, as its client tells in tags. */
const origins: readonly (readonly [string, string])[] = [
  ['Git commit', 'mlflow.source.git.commit'],
  ['Git branch', 'mlflow.source.git.branch'],
  ['Git repository', 'mlflow.source.git.repoURL'],
  ['Changes that were not committed', 'mlflow.source.git.dirty'],
  ['Source', 'mlflow.source.name'],
  ['Entry point', 'mlflow.project.entryPoint'],
  ['User', 'mlflow.user'],
  ['Docker image', 'mlflow.docker.image.name'],
]

export function comparedOrigins(runs: readonly TrackingRun[]): ComparedValue[] {
  const plain = origins.map(([name, tag]) => ({ name, texts: runs.map(({ tags }) => tags[tag]) }))
  const diffs = [...new Set(runs.flatMap(({ tags }) => tags['mlflow.source.git.diff'] ?? []))]
  const diff = runs.map(({ tags: { 'mlflow.source.git.diff': text } }) =>
    text === undefined ? undefined : `diff ${diffs.indexOf(text) + 1}, ${text.split('\n').length} lines`,
  )
  return [...plain, { name: 'Git diff', texts: diff }]
    .filter(({ texts }) => texts.some((text) => text !== undefined))
    .map((value) => ({ ...value, differs: new Set(value.texts).size > 1 }))
}
