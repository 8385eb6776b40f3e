import { useSyncExternalStore } from 'react'
import { now } from './design/age.tsx'

// Whether Pave answers at all. Requests say what they met; while nobody answers, one probe asks again and again.

type Listener = () => void

const listeners = new Set<Listener>()
const probeEveryMs = 1_500

/** When Pave was first found not to answer; undefined while it does. */
let awaySince: number | undefined
let probe: number | undefined

export function useAwaySince(): number | undefined {
  return useSyncExternalStore(follow, () => awaySince)
}

export function reportAway(): void {
  if (awaySince !== undefined) return
  awaySince = now()
  probe = window.setInterval(() => void lookAgain(), probeEveryMs)
  tell()
}

export function reportHere(): void {
  if (awaySince === undefined) return
  awaySince = undefined
  window.clearInterval(probe)
  tell()
}

/** Something broke that may mean nothing: asks Pave itself. */
export async function suspectAway(): Promise<void> {
  if (awaySince === undefined && !(await answers())) reportAway()
}

/** Resolves when Pave answers, at once while it does. @throws when the signal is aborted first */
export function untilHere(signal?: AbortSignal | null): Promise<void> {
  if (awaySince === undefined) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const stop = follow(() => {
      if (awaySince !== undefined) return
      stop()
      resolve()
    })
    signal?.addEventListener('abort', () => {
      stop()
      reject(signal.reason)
    })
  })
}

/** Called each time that Pave answers again. */
export function onReturn(listener: Listener): () => void {
  return follow(() => {
    if (awaySince === undefined) listener()
  })
}

/** What stands between the reader and Pave answers in its own words when Pave does not. */
export function isFromPave(response: Response): boolean {
  return response.status < 500 || (response.headers.get('content-type') ?? '').includes('json')
}

async function lookAgain(): Promise<void> {
  if (await answers()) reportHere()
}

async function answers(): Promise<boolean> {
  const answer = await fetch('/api/v1/whoami', { cache: 'no-store' }).catch(() => undefined)
  return answer !== undefined && isFromPave(answer)
}

function follow(listener: Listener): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

function tell(): void {
  for (const listener of [...listeners]) listener()
}
