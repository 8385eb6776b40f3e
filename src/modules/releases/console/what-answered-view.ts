import type { ServedSpan } from '../served-contract.ts'
import type { Traffic } from './release-view.ts'

export const windows = { fit: 'Fit', day: '24 hours', week: '7 days', month: '30 days', all: 'All' } as const
export type Window = keyof typeof windows

const dayMs = 86_400_000
const lengthOf = { month: 30 * dayMs, week: 7 * dayMs, day: dayMs }

export interface Frame {
  /** Milliseconds. */
  from: number
  until: number
}

/** Times the span of the moment that is asked about, so that its neighbours are seen, but no less than this. */
const timesOfSpan = 12
const shortestMs = 10_000

/**
 * Between which times the chart is drawn: up to now, or around the moment that is asked about. What fits is everything, or
 * when a moment is asked about as much as lets one see what answered then, which may have been a second of a year.
 */
export function frameOf(
  window: Window,
  now: number,
  spans: readonly Pick<ServedSpan, 'from' | 'until'>[],
  at: number | undefined,
): Frame {
  const first = spans[0] === undefined ? now - dayMs : Date.parse(spans[0].from)
  const all = { from: Math.min(first, at ?? now), until: Math.max(now, at ?? now) }
  if (window === 'all' || (window === 'fit' && at === undefined)) return all
  if (window !== 'fit') return around(at ?? now, lengthOf[window], now)
  const span = spans.findLast(({ from }) => Date.parse(from) <= (at ?? now))
  if (span === undefined || span.until === null) return all
  const length = Math.max(shortestMs, timesOfSpan * (Date.parse(span.until) - Date.parse(span.from)))
  return length > all.until - all.from ? all : around(at ?? now, length, now)
}

function around(at: number, length: number, now: number): Frame {
  const until = Math.max(at, Math.min(now, at + length / 2))
  return { from: until - length, until }
}

export interface Band {
  version: string
  variant: 'primary' | 'canary' | 'shadow'
  /** Shares of the frame's width, and of all requests from the bottom. */
  left: number
  width: number
  bottom: number
  height: number
}

/** Who answered which share, from each change to the next: the areas of a chart with the shares as its height. */
export function bandsOf(
  spans: readonly Pick<ServedSpan, 'from' | 'until' | 'traffic'>[],
  { from, until }: Frame,
): Band[] {
  return spans.flatMap((span) => {
    const left = Math.max(0, (Date.parse(span.from) - from) / (until - from))
    const end = span.until === null ? until : Date.parse(span.until)
    const right = Math.min(1, (end - from) / (until - from))
    if (right <= left) return []
    let bottom = 0
    return span.traffic
      .filter(({ weight }) => weight > 0)
      .map(({ version, variant, weight }) => {
        const height = weight / 10_000
        const band = { version, variant, left, width: right - left, bottom: variant === 'shadow' ? 0 : bottom, height }
        if (variant !== 'shadow') bottom += height
        return band
      })
  })
}

/** The same words for a share as the page's own bar. */
export function trafficAt(traffic: ServedSpan['traffic']): Traffic {
  return {
    answering: traffic.filter(({ variant, weight }) => variant !== 'shadow' && weight > 0),
    shadows: traffic
      .filter(({ variant }) => variant === 'shadow')
      .map(({ version, weight }) => ({ version, sample: weight })),
  }
}

/** An instant as an input of the reader's own time takes it, to the second. */
export function localInput(milliseconds: number): string {
  const date = new Date(milliseconds)
  const two = (part: number) => String(part).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
