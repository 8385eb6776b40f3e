import { loadavg } from 'node:os'
import type { z } from 'zod'
import { createExperiment, searchTrackingRuns } from '#modules/tracking/contract.ts'
import type { Bench, Measurement } from '../measurement.ts'
import { startPave } from '../platform/start-pave.ts'
import { metrics, params, runs, seed } from './seed.ts'

const searches = 60
const mostMs = 150

type Search = Omit<z.input<typeof searchTrackingRuns.input>, 'experiments'>

/** What is searched for; each search of a kind differs, so that no answer is at hand from the one before. */
const kinds: Record<string, (index: number) => Search> = {
  'newest 100': () => ({}),
  'a metric range, ordered by that metric': (index) => ({
    filter: `metrics.metric_${index % metrics} > ${0.3 + index / 1000} and metrics.metric_${index % metrics} < 0.9`,
    order: [`metrics.metric_${index % metrics} ${index % 2 === 0 ? 'DESC' : 'ASC'}`],
  }),
  'ordered by a metric': (index) => ({ order: [`metrics.metric_${index % metrics} DESC`] }),
  'a narrow metric range, newest first': (index) => ({
    filter: `metrics.metric_${index % metrics} > ${0.97 + index / 5000}`,
  }),
  'a param of one in ten runs': (index) => ({ filter: `params.param_0 = 'value ${index % 10}'` }),
  'a param of fifty runs': (index) => ({ filter: `params.param_2 = 'rare ${index * 37}'` }),
  'a tag that begins with, thousand runs': (index) => ({ filter: `tags.sweep LIKE 'sweep-${index}/%'` }),
  'a tag that begins with, one in two hundred': (index) => ({
    filter: `tags.commit LIKE '${(index % 256).toString(16).padStart(2, '0')}%'`,
  }),
  'a tag that begins with, all runs': () => ({ filter: `tags.team LIKE 'team %'` }),
  'a param and a metric range': (index) => ({
    filter: `params.param_0 = 'value ${index % 10}' and metrics.metric_3 < 0.${10 + index}`,
    order: ['metrics.metric_3 DESC'],
  }),
}

/** A million runs of one experiment, twenty metrics and ten params each, in what `pave up` brings along. */
const bench: Bench = async (say) => {
  const pave = await startPave()
  try {
    const { platform } = pave.controlPlane
    const { actor } = pave
    const { experiment } = await platform.run(createExperiment, { actor, input: { name: 'crowd' } })
    say(`writing ${runs} runs with ${metrics} metrics and ${params} params`)
    await seed(pave.databaseUrl, actor.workspace, Number(experiment))
    const measurements: Measurement[] = []
    for (const [name, kind] of Object.entries(kinds)) {
      say(`${name}, load average ${loadavg()[0]?.toFixed(1)}`)
      const walls: number[] = []
      for (let index = 0; index < searches + 5; index++) {
        const input = { experiments: [experiment], limit: 100, ...kind(index) }
        const started = performance.now()
        const { items } = await platform.run(searchTrackingRuns, { actor, input })
        if (items.length === 0) throw new Error(`${name} found nothing: ${JSON.stringify(input)}`)
        if (index >= 5) walls.push(performance.now() - started)
      }
      const p95 = walls.toSorted((a, b) => a - b)[Math.floor(walls.length * 0.95)] ?? Number.NaN
      say(`  p95 ${p95.toFixed(1)} ms`)
      measurements.push({
        name: `${name}, p95`,
        unit: 'ms',
        ours: p95,
        limit: { text: `≤ ${mostMs} ms`, met: p95 <= mostMs },
      })
    }
    return measurements
  } finally {
    await pave.stop()
  }
}

export default bench
