import { useSyncExternalStore } from 'react'

// A session that ends while somebody works: the page stays as it is, and asks to sign in again.

export interface Reader {
  id: string
  name: string
}

/** Whose page this is; undefined until somebody has signed in. */
let reader: Reader | undefined
let asking: { answer: (signedIn: boolean) => void; answered: Promise<boolean> } | undefined
let declined = false
const listeners = new Set<() => void>()

export function rememberReader(who: Reader): void {
  reader = who
}

/** Whom to ask to sign in again; undefined while nobody is asked. */
export function useSessionEnded(): Reader | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    () => (asking === undefined ? undefined : reader),
  )
}

/**
 * Asks the reader to sign in again and answers whether that happened. Who has declined is asked again only for a change,
 * not for what the page reads by itself.
 */
export function signedInAgain(forChange: boolean): Promise<boolean> {
  if (reader === undefined || (declined && !forChange)) return Promise.resolve(false)
  if (asking === undefined) {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    asking = { answer: resolve, answered: promise }
    tell()
  }
  return asking.answered
}

export function answerSessionEnded(signedIn: boolean): void {
  declined = !signedIn
  asking?.answer(signedIn)
  asking = undefined
  tell()
}

function tell(): void {
  for (const listener of listeners) listener()
}
