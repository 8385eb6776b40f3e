import type { Query } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { z } from 'zod'
import { queries } from './api.ts'
import { onReturn, reportHere, suspectAway } from './connection.ts'

const EntryEvent = z.object({ subjects: z.array(z.object({ kind: z.string() })) })

/** At most one round of reading in this time, however many events come. */
const pauseMs = 1_000
/** A browser gives up on a stream that was answered with an error: a session that ended, a right that was taken back. */
const openAgainMs = 15_000

/** Follows the server's events while the page is open: what an event concerns is read again. Answers whether it is connected. */
export function useLiveEvents(): boolean {
  const [connected, setConnected] = useState(true)
  useEffect(() => {
    const refresh = createRefresher()
    let missed = false
    let events = follow()
    let retry: number | undefined

    function follow(): EventSource {
      const source = new EventSource('/api/v1/events')
      source.addEventListener('entry', (event) => {
        const entry = EntryEvent.safeParse(JSON.parse(event.data))
        refresh.touch(['entry', ...(entry.data?.subjects ?? []).map((subject) => subject.kind)])
      })
      source.addEventListener('job', () => refresh.touch(['job']))
      source.addEventListener('open', () => {
        setConnected(true)
        reportHere()
        // What happened while the connection was down was not heard.
        if (missed) void queries.invalidateQueries()
        missed = false
      })
      source.addEventListener('error', () => {
        setConnected(false)
        missed = true
        if (source.readyState === EventSource.CLOSED) retry = window.setTimeout(again, openAgainMs)
        else void suspectAway()
      })
      return source
    }

    function again(): void {
      window.clearTimeout(retry)
      events.close()
      events = follow()
    }

    const stopFollowing = onReturn(() => {
      if (events.readyState !== EventSource.OPEN) again()
    })
    return () => {
      stopFollowing()
      window.clearTimeout(retry)
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
