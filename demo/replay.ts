import { pushEvents } from '../src/modules/feature-store/contract.ts'
import { recordLabels } from '../src/modules/predictions/contract.ts'
import type { Client } from '../src/platform/surfaces/client.ts'
import type { Asker } from './ask.ts'
import type { Flights } from './flights.ts'
import { patiently } from './patience.ts'
import type { ProgressFile } from './progress.ts'
import { place } from './release.ts'

const hourMs = 3_600_000
const saveEvery = 24

export interface ReplayOptions {
  client: Client
  asker: Asker
  flights: Flights
  file: ProgressFile
  from: number
  to: number
  /** Called at the end of each day of event time, for one day perhaps twice; the replay waits for it. */
  onDay: (at: number) => Promise<void>
  onHour: (fraction: number, at: number) => void
}

/**
 * Plays the flights in event order, an hour at a time: the hour's outcomes stream into the features, then the hour's
 * questions are asked, then the labels follow that became known. A feature reads tiles that were closed before its
 * question's own time, so no question knows an outcome of its own hour that came later.
 */
export async function replay(options: ReplayOptions): Promise<void> {
  const { flights, file, from, to } = options
  const { progress } = file
  const hours = Math.ceil((to - from) / hourMs)
  const askedAt = new Set(flights.asked)
  let outcome = firstFrom(flights.byOutcome, flights.knownAt, from + progress.replayedHours * hourMs)
  let question = firstFrom(flights.asked, flights.departure, from + progress.replayedHours * hourMs)
  // An earlier demo may have been interrupted in the middle of what its last day ended with.
  if (progress.replayedHours > 0) await options.onDay(from + progress.replayedHours * hourMs)
  for (let hour = progress.replayedHours; hour < hours; hour++) {
    const end = from + (hour + 1) * hourMs
    const outcomes: number[] = []
    while (outcome < flights.count && known(flights, outcome) < end) outcomes.push(flights.byOutcome[outcome++] ?? 0)
    if (outcomes.length > 0) await pushOutcomes(options.client, flights, outcomes, hour)

    const questions: number[] = []
    while (question < flights.asked.length && departs(flights, question) < end)
      questions.push(flights.asked[question++] ?? 0)
    await askAll(options, questions)

    const labelled = outcomes.filter((index) => askedAt.has(index))
    if (labelled.length > 0) await sendLabels(options.client, flights, labelled)

    progress.replayedHours = hour + 1
    options.onHour((hour + 1) / hours, end)
    if ((hour + 1) % saveEvery === 0) {
      await file.save()
      await options.onDay(end)
    }
  }
  await file.save()
}

/** The batch's id is its hour: sent again after a crash, it counts once. */
async function pushOutcomes(
  client: Client,
  flights: Flights,
  outcomes: readonly number[],
  hour: number,
): Promise<void> {
  const column = <T>(value: (index: number) => T) => outcomes.map(value)
  await patiently(() =>
    client.call(pushEvents, {
      dataset: 'flights',
      batch: `hour-${hour}`,
      columns: {
        date: column((index) => isoOf(flights.departure[index])),
        delay: column((index) => flights.delay[index] ?? 0),
        distance: column((index) => flights.distance[index] ?? 0),
        origin: column((index) => flights.origin[index] ?? ''),
        destination: column((index) => flights.destination[index] ?? ''),
      },
    }),
  )
}

async function askAll(
  { asker, flights, file: { progress } }: ReplayOptions,
  questions: readonly number[],
): Promise<void> {
  const answers = await Promise.all(
    questions.map((index) =>
      asker.ask({
        id: idOf(index),
        origin: flights.origin[index] ?? '',
        destination: flights.destination[index] ?? '',
        date: isoOf(flights.departure[index]),
        distance: flights.distance[index] ?? 0,
      }),
    ),
  )
  for (const answer of answers) {
    progress.requests += 1
    if (answer === undefined) progress.failedRequests += 1
    else {
      progress.retries += answer.retries
      if (progress.latencies.length < 100_000) progress.latencies.push(Number(answer.milliseconds.toFixed(2)))
    }
  }
}

async function sendLabels(client: Client, flights: Flights, labelled: readonly number[]): Promise<void> {
  const labels = labelled.map((index) => ({
    id: idOf(index),
    value: (flights.delay[index] ?? 0) > 15 ? 1 : 0,
    at: isoOf(flights.knownAt[index]),
  }))
  await patiently(() => client.call(recordLabels, { ...place, labels }))
}

const idOf = (index: number) => `flight-${index}`
const isoOf = (at: number | undefined) => new Date(at ?? 0).toISOString()
const known = (flights: Flights, position: number) => flights.knownAt[flights.byOutcome[position] ?? 0] ?? 0
const departs = (flights: Flights, position: number) => flights.departure[flights.asked[position] ?? 0] ?? 0

function firstFrom(order: Uint32Array, time: Float64Array, from: number): number {
  const position = order.findIndex((index) => (time[index] ?? 0) >= from)
  return position < 0 ? order.length : position
}
