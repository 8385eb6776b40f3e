import { useEffect, useState } from 'react'
import { duration } from './format.ts'

/** The reader's clock, in milliseconds since 1970. */
export const now = (): number => performance.timeOrigin + performance.now()

/** The same, read again as time goes by. */
export function useNow(everyMs = 10_000): number {
  const [time, setTime] = useState(now)
  useEffect(() => {
    const timer = window.setInterval(() => setTime(now()), everyMs)
    return () => window.clearInterval(timer)
  }, [everyMs])
  return time
}

/** How long ago something was; pointing at it shows when, in UTC. */
export function Age({ at, suffix = ' ago' }: { at: string; suffix?: string }) {
  const time = useNow()
  return (
    <time
      dateTime={at}
      title={new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC')}
      style={{ whiteSpace: 'nowrap' }}
    >
      {duration(Math.max(0, time - Date.parse(at)))}
      {suffix}
    </time>
  )
}
