import { Button, Group, Stack } from '@mantine/core'
import { useQueryErrorResetBoundary } from '@tanstack/react-query'
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { Page } from './page.tsx'
import { Problem } from './problem.tsx'

/** A page that could not be shown; the rest of the console goes on. */
export function PageProblem({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const { reset: resetQueries } = useQueryErrorResetBoundary()
  const outdated = error instanceof Error && /dynamically imported module|module script/i.test(error.message)
  return (
    <Page title={outdated ? 'Pave was updated' : 'This page could not be shown'}>
      <Stack align="flex-start">
        {outdated ? 'The page is of another version than the server. Load it again.' : <Problem error={error} />}
        <Group>
          <Button
            onClick={() => {
              if (outdated) return window.location.reload()
              resetQueries()
              reset()
              void router.invalidate()
            }}
          >
            {outdated ? 'Load again' : 'Try again'}
          </Button>
        </Group>
      </Stack>
    </Page>
  )
}
