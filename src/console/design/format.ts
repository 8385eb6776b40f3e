const whole = new Intl.NumberFormat('en')

export const count = (value: number): string => whole.format(value)

/** `1 request`, `2,000 requests`. */
export const counted = (value: number, noun: string): string =>
  `${count(value)} ${value === 1 ? noun : `${noun}s`.replace(/([^aeiou])ys$/, '$1ies')}`

/** A share of one as a percentage: 0.0123 → `1.23 %`. */
export function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`
}

/** Basis points as a percentage: 50 → `0.5 %`. */
export const percentOfBasisPoints = (points: number): string => percent(points / 10_000)

/** Three significant digits, which is what a latency is good for. */
export const milliseconds = (value: number): string => `${Number(value.toPrecision(3))} ms`

/** AUC and other scores between 0 and 1. */
export const score = (value: number): string => value.toFixed(4)

/** How many in how many milliseconds, in the unit of time that gives a number worth reading. */
export function rate(events: number, spanMs: number): string {
  const perSecond = spanMs > 0 ? (events * 1000) / spanMs : 0
  for (const [unit, seconds] of [
    ['s', 1],
    ['min', 60],
    ['h', 3600],
  ] as const) {
    if (perSecond * seconds >= 1) return `${Number((perSecond * seconds).toPrecision(3))}/${unit}`
  }
  return `${Number((perSecond * 86_400).toPrecision(3))}/day`
}

/** A span of time in its two largest units that matter: `45 s`, `3 h 20 min`, `5 d`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  if (milliseconds > 0 && milliseconds < 1000) return `${Math.round(milliseconds)} ms`
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`
  const days = Math.floor(hours / 24)
  return days >= 10 || hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`
}
