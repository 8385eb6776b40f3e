import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

/** A flight as the world sees it: it departs, and later its delay becomes known. Times in milliseconds of event time. */
export interface Flights {
  count: number
  departure: Float64Array
  knownAt: Float64Array
  delay: Int32Array
  distance: Int32Array
  origin: string[]
  destination: string[]
  /** Positions in order of departure: the flights that a product asks about. */
  asked: Uint32Array
  /** All positions in order of the time when the outcome is known. */
  byOutcome: Uint32Array
}

// The package exports only its program, which lies beside its data.
const program = createRequire(import.meta.url).resolve('vega-datasets')
const file = join(dirname(program), '..', 'data', 'flights-3m.parquet')

/** Flights that depart in the span; one in `sample` of those from `askFrom` on is asked about. */
export async function loadFlights(from: number, to: number, askFrom: number, sample: number): Promise<Flights> {
  const database = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await database.connect()
  const result = await connection.runAndReadAll(
    `set timezone = 'UTC';
     with flights as (
       select distinct date, delay, distance, origin, destination,
              epoch_ms(date) as departure,
              epoch_ms(date) + 1800000 + cast(floor(distance / 450.0 * 3600000) as bigint) as known_at
       from read_parquet('${file.replaceAll("'", "''")}')
       where delay between -120 and 2880
     )
     select departure::double, known_at::double, delay::int, distance::int, origin, destination,
            hash(departure, origin, destination, distance, delay, 20010311) % ${sample} = 0 as asked
     from flights
     where departure >= ${from} and departure < ${to}
     order by known_at, origin, destination, departure, delay`,
  )
  const columns = result.getColumns()
  const count = result.currentRowCount
  const numbers = (index: number) => Float64Array.from(columns[index] ?? [], Number)
  const texts = (index: number) => (columns[index] ?? []).map(String)
  const departure = numbers(0)
  const asked: number[] = []
  ;(columns[6] ?? []).forEach((value, index) => {
    if (value === true && (departure[index] ?? 0) >= askFrom) asked.push(index)
  })
  asked.sort((a, b) => (departure[a] ?? 0) - (departure[b] ?? 0))
  connection.closeSync()
  return {
    count,
    departure,
    knownAt: numbers(1),
    delay: Int32Array.from(numbers(2)),
    distance: Int32Array.from(numbers(3)),
    origin: texts(4),
    destination: texts(5),
    asked: Uint32Array.from(asked),
    byOutcome: Uint32Array.from({ length: count }, (_, index) => index),
  }
}
