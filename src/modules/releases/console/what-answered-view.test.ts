import { describe, expect, it } from 'vitest'
import { bandsOf, frameOf, localInput } from './what-answered-view.ts'

const day = 86_400_000
const iso = (at: number) => new Date(at).toISOString()
const share = (version: string, weight: number, variant: 'primary' | 'canary' | 'shadow' = 'primary') => ({
  version,
  variant,
  weight,
  release: null,
})

describe('the chart of what answered', () => {
  it('stacks shares, cuts them at its edges, and leaves shadows, which answer nobody, out of the stack', () => {
    const frame = { from: 100, until: 200 }
    const spans = [
      { from: iso(50), until: iso(150), traffic: [share('m@1', 9_000), share('m@2', 1_000, 'canary')] },
      { from: iso(150), until: null, traffic: [share('m@1', 10_000), share('m@2', 2_500, 'shadow')] },
      { from: iso(10), until: iso(20), traffic: [share('m@0', 10_000)] },
    ]
    const all = bandsOf(spans, frame)
    expect(all).toEqual([
      { version: 'm@1', variant: 'primary', left: 0, width: 0.5, bottom: 0, height: 0.9 },
      { version: 'm@2', variant: 'canary', left: 0, width: 0.5, bottom: 0.9, height: 0.1 },
      { version: 'm@1', variant: 'primary', left: 0.5, width: 0.5, bottom: 0, height: 1 },
      { version: 'm@2', variant: 'shadow', left: 0.5, width: 0.5, bottom: 0, height: 0.25 },
    ])
  })

  it('ends now, or has the moment in its middle', () => {
    const now = 1000 * day
    const spans = [
      { from: iso(900 * day), until: iso(910 * day) },
      { from: iso(910 * day), until: iso(911 * day) },
      { from: iso(911 * day), until: null },
    ]
    expect(frameOf('day', now, spans, undefined)).toEqual({ from: 999 * day, until: now })
    expect(frameOf('week', now, spans, 500 * day)).toEqual({ from: 496.5 * day, until: 503.5 * day })
    expect(frameOf('week', now, spans, 999 * day)).toEqual({ from: 993 * day, until: now })
    expect(frameOf('all', now, spans, 899 * day)).toEqual({ from: 899 * day, until: now })
    expect(frameOf('fit', now, spans, undefined)).toEqual({ from: 900 * day, until: now })
    expect(frameOf('fit', now, spans, 910.5 * day)).toEqual({ from: 904.5 * day, until: 916.5 * day })
    expect(frameOf('fit', now, spans, 905 * day)).toEqual({ from: 900 * day, until: now })
    expect(frameOf('fit', now, spans, 950 * day)).toEqual({ from: 900 * day, until: now })
    expect(frameOf('fit', now, spans, 800 * day)).toEqual({ from: 800 * day, until: now })
  })

  it('takes a time from the reader as it gives it', () => {
    const at = Date.parse('2026-05-04T03:00:07Z')
    expect(new Date(localInput(at)).getTime()).toBe(at)
  })
})
