import type { TrackingRun } from '../contract.ts'
import { isSystemMetric } from './run-columns.ts'

interface ReproductionLine {
  what: string
  /** What is known of it; undefined when it is missing. */
  known: string | undefined
  /** How to record it. */
  advice: string
}

/** What somebody needs who wants to make a run again, and whether it is known. */
export function reproductionOf(run: TrackingRun, environment: string | undefined): ReproductionLine[] {
  const { tags, params, datasets, metrics } = run
  const commit = tags['mlflow.source.git.commit']
  const diff = tags['mlflow.source.git.diff']
  const dirty = tags['mlflow.source.git.dirty']?.toLowerCase()
  const changes =
    diff !== undefined
      ? `a diff of ${diff.split('\n').length} lines`
      : dirty === 'false'
        ? 'none were there'
        : undefined
  const digests = datasets.map(({ name, digest }) => `${name} ${digest}`)
  const system = metrics.filter(({ key }) => isSystemMetric(key)).length
  return [
    {
      what: 'Code',
      known:
        commit === undefined ? undefined : [tags['mlflow.source.git.repoURL'], commit].filter(Boolean).join(' at '),
      advice: 'Start the program within a Git repository, or mlflow.set_tag("mlflow.source.git.commit", "…")',
    },
    {
      what: 'Changes that were not committed',
      known: changes,
      advice:
        'mlflow.set_tag("mlflow.source.git.diff", subprocess.check_output(["git", "diff", "HEAD"], text=True)[:8000])',
    },
    {
      what: 'Entry point',
      known: tags['mlflow.project.entryPoint'] ?? tags['mlflow.source.name'],
      advice: 'Run a file instead of typing it, or mlflow.set_tag("mlflow.source.name", "train.py")',
    },
    {
      what: 'Params',
      known: Object.keys(params).length === 0 ? undefined : Object.keys(params).join(', '),
      advice: 'mlflow.log_params({"seed": 7, "depth": 6})',
    },
    {
      what: 'Environment',
      known: environment,
      advice: 'mlflow.sklearn.log_model(…) writes one; else mlflow.log_artifact("requirements.txt") after pip freeze',
    },
    {
      what: 'Data',
      known: digests.length === 0 ? undefined : digests.join(', '),
      advice: 'mlflow.log_input(mlflow.data.from_pandas(frame, name="training"), context="training")',
    },
    {
      what: 'Machine',
      known: system === 0 ? undefined : `${system} system metrics`,
      advice: 'mlflow.enable_system_metrics_logging() before the run',
    },
  ]
}
