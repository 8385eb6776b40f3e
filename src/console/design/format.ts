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

/** Digests and uuids are told apart by their first and last digits; names stay whole. */
export function shortened(id: string): string {
  const bare = id.replace(/^sha256:/, '')
  if (/^[0-9a-f]{64}$/.test(bare)) return `${bare.slice(0, 12)}…`
  return /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(bare) ? `…${bare.slice(-12)}` : id
}

/** Of memory and files, in powers of 1024: 71,680 → `70 KiB`. */
export function bytes(size: number): string {
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, size)) / 10))
  return `${Number((size / 1024 ** power).toPrecision(3))} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}
