import { Text } from '@mantine/core'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { FollowedStep } from '../contract.ts'
import { runIn } from './run-view.ts'

/** Whether a step was taken from an earlier run, and why or why not. */
export function CacheReason({ cache }: { cache: FollowedStep['cache'] }) {
  if (cache === null) return '–'
  const named = runIn(cache.reason)
  return (
    <>
      <strong>{cache.hit ? 'hit' : 'miss'}</strong>{' '}
      <Text span size="sm" c="dimmed">
        {named === undefined ? (
          cache.reason
        ) : (
          <>
            {named.before}
            <SubjectLink kind="run" id={named.run} bare />
            {named.after}
          </>
        )}
      </Text>
    </>
  )
}
