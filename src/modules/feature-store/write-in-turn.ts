import type { OnlineStore } from '#platform/storage/online/online-store.ts'

const last = new WeakMap<OnlineStore, Promise<unknown>>()

/** Runs what reads states and writes them back one at a time for each store, or two writers would lose each other's events. */
export function writeInTurn<T>(store: OnlineStore, work: () => Promise<T>): Promise<T> {
  const turn = (last.get(store) ?? Promise.resolve()).then(work, work)
  last.set(
    store,
    turn.catch(() => undefined),
  )
  return turn
}
