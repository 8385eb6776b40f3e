import { EventEmitter } from 'node:events'

const news = new EventEmitter()
news.setMaxListeners(0)

const nameOf = (workspace: string, environment: string) => `${workspace}/${environment}`

/** Tells nodes that wait in this process; those that wait on another control plane find the plan at their next look. */
export function announcePlan(workspace: string, environment: string): void {
  news.emit(nameOf(workspace, environment))
}

/** Resolves at the next announcement, when the time is up, or when the asker is gone. */
export function awaitPlan(
  workspace: string,
  environment: string,
  milliseconds: number,
  gone: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const name = nameOf(workspace, environment)
    const end = () => {
      clearTimeout(timer)
      news.off(name, end)
      gone.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    news.once(name, end)
    gone.addEventListener('abort', end)
  })
}
