import type { OperationContext } from '#platform/context.ts'
import type { Platform } from '#platform/platform.ts'
import { announce } from '#platform/storage/database/listen.ts'

/** Tells the nodes that wait for a plan, at whichever control plane, once the transaction is committed. */
export function announcePlan({ db, workspace }: OperationContext, environment: string): Promise<void> {
  return announce(db, 'pave_news', JSON.stringify({ workspace, type: 'plan', data: { environment } }))
}

/** Resolves at the next announcement, when the time is up, or when the asker is gone. */
export function awaitPlan(
  platform: Platform,
  workspace: string,
  environment: string,
  milliseconds: number,
  gone: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      stopFollowing()
      gone.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    const stopFollowing = platform.events.follow(workspace, ({ type, data }) => {
      if (type === 'plan' && data.environment === environment) end()
    })
    gone.addEventListener('abort', end)
  })
}
