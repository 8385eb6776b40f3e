import type { Performance } from '#modules/predictions/contract.ts'
import { realisedPerformance, type VersionStatistics, windowStatistics } from '#modules/predictions/queries.ts'
import type { Version } from '#modules/registry/contract.ts'
import { resolveVersion } from '#modules/registry/queries.ts'
import { durationMs } from '#platform/names.ts'
import type { Services } from '#platform/services.ts'
import type { Db } from '#platform/storage/database/database.ts'
import type { Evaluation, Metric, MonitorSpec } from './contract.ts'
import { measureDrift } from './measure-drift.ts'

/**
 * What a monitor sees in the window that ends at `at`: the version that served primary traffic last, against its own
 * profile and its own registered metrics. Undefined when nobody was served.
 */
export async function measureMonitor(
  services: Services,
  db: Db,
  { environment, monitor, spec }: { environment: string; monitor: string; spec: MonitorSpec },
  at: string,
): Promise<Evaluation | undefined> {
  const from = new Date(Date.parse(at) - durationMs(spec.window)).toISOString()
  const span = { environment, endpoint: spec.endpoint, from, to: at }
  const [live] = await windowStatistics(db, { ...span, variant: 'primary' })
  if (live === undefined) return undefined
  const version = await resolveVersion(db, live.version)
  const needsLabels = spec.performance !== undefined || spec.calibration !== undefined
  const [performance] = needsLabels
    ? await realisedPerformance(services, db, { ...span, version: live.version, variants: ['primary'] })
    : []
  return {
    environment,
    monitor,
    at,
    from,
    version: live.version,
    predictions: live.rows,
    labelled: performance?.labelled ?? 0,
    metrics: [...driftMetrics(spec, version, live), ...performanceMetrics(spec, version, performance)],
  }
}

/** One metric for each watched feature, and one for the prediction. */
function driftMetrics(spec: MonitorSpec, version: Version, live: VersionStatistics): Metric[] {
  const minimum = spec.minimum.predictions
  const metrics: Metric[] = []
  if (spec.drift !== undefined) {
    const { features, exclude, threshold } = spec.drift
    for (const profile of version.profile) {
      if (exclude.includes(profile.name) || features?.includes(profile.name) === false) continue
      const seen = live.features[profile.name] ?? { counts: [], nulls: 0 }
      const drift = measureDrift(profile, seen, { threshold, minimum })
      metrics.push({ kind: 'drift', feature: profile.name, ...drift })
    }
  }
  if (spec.predictionDrift !== undefined && version.predictionProfile !== null) {
    const { threshold } = spec.predictionDrift
    const drift = measureDrift(version.predictionProfile, live.prediction, { threshold, minimum })
    metrics.push({ kind: 'prediction_drift', feature: null, ...drift })
  }
  return metrics
}

function performanceMetrics(
  spec: MonitorSpec,
  version: Pick<Version, 'metrics'>,
  performance: Performance | undefined,
): Metric[] {
  const rows = performance?.labelled ?? 0
  const judge = (value: number | null, limit: number | null, breaches: (value: number, limit: number) => boolean) => ({
    feature: null,
    value,
    threshold: limit,
    breached: value === null || limit === null || rows < spec.minimum.labels ? null : breaches(value, limit),
    rows,
  })
  const metrics: Metric[] = []
  if (spec.performance !== undefined) {
    const floor = lowestAllowed(spec.performance, version.metrics['auc'])
    metrics.push({ kind: 'performance', ...judge(performance?.auc ?? null, floor, (auc, least) => auc < least) })
  }
  if (spec.calibration !== undefined) {
    const { maximum } = spec.calibration
    const error = performance?.calibrationError ?? null
    metrics.push({ kind: 'calibration', ...judge(error, maximum, (seen, most) => seen > most) })
  }
  return metrics
}

/** The stricter of the two declared limits; null when neither applies. */
function lowestAllowed(
  { minimum, maximumDrop }: NonNullable<MonitorSpec['performance']>,
  offline: number | undefined,
): number | null {
  const limits: number[] = []
  if (minimum !== undefined) limits.push(minimum)
  if (maximumDrop !== undefined && offline !== undefined) limits.push(offline - maximumDrop)
  return limits.length === 0 ? null : Math.max(...limits)
}
