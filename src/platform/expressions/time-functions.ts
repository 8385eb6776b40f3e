import { type Overload, overload } from './overload.ts'
import { boundDurationSql, writeDouble } from './sql-dialect.ts'
import { boundDuration, longestDuration, msPerDay } from './values.ts'

const unitsOfTime = { seconds: 1000, minutes: 60_000, hours: 3_600_000, days: msPerDay }

/** `minutes(x)` and its like: the duration of a number of units, cut to the millisecond. */
export const durationFunctions: Overload[] = Object.entries(unitsOfTime).flatMap(([name, unit]) => [
  overload(`${name}(int): duration`, {
    evaluate: (amount: number) => boundDuration(amount * unit),
    sql: (d, amount) => boundDurationSql(d, `(CAST(${amount} AS ${d.wideInteger}) * ${unit})`),
  }),
  overload(`${name}(double): duration`, {
    evaluate(amount: number) {
      const milliseconds = amount * unit
      return Math.abs(milliseconds) <= longestDuration ? Math.trunc(milliseconds) + 0 : undefined
    },
    sql: (d, amount) =>
      boundDurationSql(
        d,
        `trunc(${d.let([`(${amount} * ${writeDouble(d, unit)})`], (v) => `CASE WHEN abs(${v}) <= ${longestDuration} THEN ${v} END`)})`,
      ),
  }),
])

const dayNumber = (milliseconds: number) => Math.floor(milliseconds / msPerDay)
const timeOfDay = (milliseconds: number) => milliseconds - dayNumber(milliseconds) * msPerDay

/** A part of the calendar date in UTC, by the name that both databases give it. */
function calendarPart(name: string, field: string, offset: number, evaluate: (date: Date) => number): Overload {
  return overload(`timestamp.${name}(): int`, {
    evaluate: (milliseconds: number) => evaluate(new Date(milliseconds)),
    sql(d, milliseconds) {
      const days = `CAST(floor(${milliseconds} / ${writeDouble(d, msPerDay)}) AS integer)`
      return `(CAST(extract(${field} FROM (DATE '1970-01-01' + ${days})) AS ${d.integer}) - ${offset})`
    },
  })
}

/** A part of the time of day in UTC: how many `unit`s have passed, out of `count`. */
function clockPart(name: string, unit: number, count: number): Overload {
  return overload(`timestamp.${name}(): int`, {
    evaluate: (milliseconds: number) => Math.floor(timeOfDay(milliseconds) / unit) % count,
    sql: (d, milliseconds) =>
      `(${d.divideInts(`(((${milliseconds} % ${msPerDay}) + ${msPerDay}) % ${msPerDay})`, `${unit}`)} % ${count})`,
  })
}

function dayOfYear(date: Date): number {
  const newYear = new Date(date.getTime())
  newYear.setUTCMonth(0, 1)
  return dayNumber(date.getTime()) - dayNumber(newYear.getTime())
}

export const timeParts: Overload[] = [
  calendarPart('getFullYear', 'year', 0, (date) => date.getUTCFullYear()),
  calendarPart('getMonth', 'month', 1, (date) => date.getUTCMonth()),
  calendarPart('getDate', 'day', 0, (date) => date.getUTCDate()),
  calendarPart('getDayOfMonth', 'day', 1, (date) => date.getUTCDate() - 1),
  calendarPart('getDayOfWeek', 'dow', 0, (date) => date.getUTCDay()),
  calendarPart('getDayOfYear', 'doy', 1, dayOfYear),
  clockPart('getHours', 3_600_000, 24),
  clockPart('getMinutes', 60_000, 60),
  clockPart('getSeconds', 1000, 60),
  clockPart('getMilliseconds', 1, 1000),
  ...Object.entries({ getHours: 3_600_000, getMinutes: 60_000, getSeconds: 1000 }).map(([name, unit]) =>
    overload(`duration.${name}(): int`, {
      evaluate: (milliseconds: number) => Math.trunc(milliseconds / unit) + 0,
      sql: (d, milliseconds) => d.divideInts(milliseconds, `${unit}`),
    }),
  ),
]
