import type { Version } from '../contract.ts'
import { differenceOf, directionOf, measuredOf, metricText } from './metric-view.ts'
import { nullShare } from './profile-view.ts'

/** What a reader should know before trusting a version: read off what is registered, in the words of the card. */
export function limitsOf(version: Version): string[] {
  return [...evaluationLimits(version), ...sliceLimits(version), ...dataLimits(version)]
}

function evaluationLimits({ metrics, baseline }: Version): string[] {
  const measured = measuredOf(metrics)
  if (measured.length === 0) return ['No metric was reported: how well it predicts is not known.']
  const loose = measured.filter(({ interval }) => interval === null).map(({ name }) => name)
  return [
    ...(loose.length === 0 ? [] : [`No confidence interval is known of ${loose.join(', ')}.`]),
    ...(baseline === null ? ['It was not compared with a baseline.'] : []),
  ]
}

function sliceLimits({ metrics, slices }: Version): string[] {
  if (slices.length === 0) return ['It was not evaluated on parts of the data: some group may be served badly unseen.']
  return measuredOf(metrics).flatMap((whole) => {
    const parts = slices.flatMap(({ slice, rows, metrics: part }) => {
      const found = measuredOf(part, rows).find(({ name }) => name === whole.name)
      return found === undefined ? [] : [{ slice, rows, difference: differenceOf(whole.name, whole, found), found }]
    })
    const worst = parts
      .filter(({ difference }) => difference !== undefined && isWorse(whole.name, difference.by))
      .sort((a, b) => Math.abs(b.difference?.by ?? 0) - Math.abs(a.difference?.by ?? 0))[0]
    if (worst === undefined) return []
    const { slice, rows, found } = worst
    return [
      `${whole.name} is worst on ${slice}: ${metricText(found.value)} on ${rows.toLocaleString('en')} rows, against ${metricText(whole.value)} overall.`,
    ]
  })
}

/** Of a metric whose direction is not known, lower counts as worse. */
const isWorse = (name: string, by: number): boolean => (directionOf(name) === 'lower' ? by > 0 : by < 0)

function dataLimits({ profile, datasets, run, code }: Version): string[] {
  const sparse = profile.filter((one) => nullShare(one) >= 0.2).map(({ name }) => name)
  return [
    ...(profile.length === 0 ? ['Its training data has no profile, so drift of its inputs cannot be seen.'] : []),
    ...(sparse.length === 0 ? [] : [`A fifth or more of the training rows lack ${sparse.join(', ')}.`]),
    ...(datasets.length === 0 ? ['The data that it learned from is not recorded.'] : []),
    ...(run === null || code === null
      ? ['It cannot be made again from what is recorded: its run or its code is missing.']
      : []),
  ]
}
