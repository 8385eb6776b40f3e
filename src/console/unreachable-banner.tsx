import { Loader } from '@mantine/core'
import { useAwaySince } from './connection.ts'
import { Instant } from './design/instant.tsx'
import styles from './shell.module.css'

/** What the page shows is as it was when Pave last answered; it goes on by itself. */
export function UnreachableBanner() {
  const since = useAwaySince()
  return (
    <div role="status" className={since === undefined ? undefined : styles.banner}>
      {since !== undefined && (
        <>
          <Loader size={14} color="currentColor" />
          <span>
            Pave is not reachable, since <Instant at={new Date(since).toISOString()} />; trying again. What you see is
            from before that.
          </span>
        </>
      )}
    </div>
  )
}
