import type { Query } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { z } from 'zod'
import { queries } from './api.ts'

const EntryEvent = z.object({ subjects: z.array(z.object({ kind: z.string() })) })

/** At most one round of reading in this time, however many events come. */
const pauseMs = 1_000

/** Follows the server's events while the page is open: what an event concerns is read again. Answers whether it is connected. */
export function useLiveEvents(): boolean {
  const [connected, setConnected] = useState(true)
  useEffect(() => {
    const events = new EventSource('/api/v1/events')
    const refresh = createRefresher()
    events.addEventListener('entry', (event) => {
      const entry = EntryEvent.safeParse(JSON.parse(event.data))
      refresh.touch(['entry', ...(entry.data?.subjects ?? []).map((subject) => subject.kind)])
    })
    events.addEventListener('job', () => refresh.touch(['job']))
    events.addEventListener('error', () => setConnected(false))
    let opened = false
    events.addEventListener('open', () => {
      setConnected(true)
      // What happened while the connection was down was not heard.
      if (opened) void queries.invalidateQueries()
      opened = true
    })
    return () => {
      events.close()
      refresh.stop()
    }
  }, [])
  return connected
}

function createRefresher(): { touch(kinds: readonly string[]): void; stop(): void } {
  const touched = new Set<string>()
  let pause: number | undefined
  const flush = () => {
    pause = undefined
    if (touched.size === 0) return
    const kinds = new Set(touched)
    touched.clear()
    void queries.invalidateQueries({
      predicate: (query: Query) => query.meta?.about.some((kind) => kinds.has(kind)) ?? false,
    })
    pause = window.setTimeout(flush, pauseMs)
  }
  return {
    touch(kinds) {
      for (const kind of kinds) touched.add(kind)
      if (pause === undefined) flush()
    },
    stop: () => window.clearTimeout(pause),
  }
}
