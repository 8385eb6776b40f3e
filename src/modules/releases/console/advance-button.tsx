import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { advanceRelease, type Release } from '../contract.ts'
import { stageOf } from './release-stages.tsx'

interface AdvanceButtonProps {
  release: Release
  next: { state: Release['state']; weight: number }
}

/** Moves a release on before it has the rows that its step asks for. */
export function AdvanceButton({ release, next }: AdvanceButtonProps) {
  // The dialog is about the step that it was opened for: a release that moved on meanwhile stays where it is.
  const [opened, setOpened] = useState<{ from: Pick<Release, 'state' | 'step'>; next: string }>()
  const advancing = useMutation({
    mutationFn: (from: Pick<Release, 'state' | 'step'>) => client.call(advanceRelease, { release: release.id, from }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      setOpened(undefined)
    },
  })
  const open = () => {
    advancing.reset()
    setOpened({ from: { state: release.state, step: release.step }, next: stageOf(next) })
  }
  return (
    <>
      <Button variant="default" size="xs" onClick={open}>
        Move on now
      </Button>
      <Modal
        opened={opened !== undefined}
        onClose={() => setOpened(undefined)}
        title={`Move ${release.version} on`}
        centered
      >
        {opened !== undefined && (
          <Stack>
            <Text size="sm">
              It goes to <strong>{opened.next}</strong> now, with the rows that it has, whatever its guardrails say. The
              next step waits for rows of its own.
            </Text>
            {advancing.error && <Problem error={advancing.error} />}
            <Group justify="flex-end">
              <Button variant="default" onClick={() => setOpened(undefined)}>
                Cancel
              </Button>
              <Button loading={advancing.isPending} onClick={() => advancing.mutate(opened.from)}>
                Move on
              </Button>
            </Group>
          </Stack>
        )}
      </Modal>
    </>
  )
}
