import { Anchor, Button, Group, Popover, Stack, Text, TextInput, UnstyledButton } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useLocation, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { type Experiment, updateExperiment } from '../contract.ts'
import { addressOf, isViewName, type SavedView, tagOf, viewsOf, viewText } from './saved-views.ts'

/** Filters, orders, columns and charts under names, for everybody who looks at the experiment. */
export function ViewsButton({ experiment: { experiment, tags } }: { experiment: Experiment }) {
  const [opened, setOpened] = useState(false)
  const [name, setName] = useState('')
  const [renamed, setRenamed] = useState<string>()
  const address = useLocation({ select: (location) => location.search })
  const navigate = useNavigate()
  const views = viewsOf(tags)
  const saving = useMutation({
    mutationFn: (change: { tags?: Record<string, string>; removeTags?: string[] }) =>
      client.call(updateExperiment, { experiment, ...change }),
    onSuccess: async () => {
      setName('')
      setRenamed(undefined)
      await queries.invalidateQueries()
    },
  })
  const taken = views.some((view) => view.name === name)
  const apply = ({ state }: SavedView) => {
    setOpened(false)
    void navigate({ to: '.', search: (before: Record<string, unknown>) => ({ ...before, ...addressOf(state) }) })
  }
  const save = () => {
    const text = renamed === undefined ? viewText(address) : tags[tagOf(renamed)]
    if (text === undefined || !isViewName(name) || (renamed !== undefined && taken)) return
    saving.mutate({
      tags: { [tagOf(name)]: text },
      ...(renamed !== undefined && { removeTags: [tagOf(renamed)] }),
    })
  }
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" shadow="md" width={340} trapFocus>
      <Popover.Target>
        <Button variant="default" size="xs" onClick={() => setOpened(!opened)}>
          Views ({views.length})
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Views">
        <Stack gap="xs">
          {views.length === 0 && (
            <Text size="sm" c="dimmed">
              A view keeps the filter, the order, the columns and the charts of this page under a name.
            </Text>
          )}
          {views.map((view) => (
            <Group key={view.name} justify="space-between" wrap="nowrap" gap="xs">
              <Anchor
                component="button"
                type="button"
                size="sm"
                ta="left"
                style={{ overflowWrap: 'anywhere' }}
                onClick={() => apply(view)}
              >
                {view.name}
              </Anchor>
              <Group gap="sm" wrap="nowrap">
                <UnstyledButton
                  fz="xs"
                  aria-label={`Rename ${view.name}`}
                  onClick={() => {
                    setRenamed(view.name)
                    setName(view.name)
                  }}
                >
                  Rename
                </UnstyledButton>
                <UnstyledButton
                  fz="xs"
                  aria-label={`Delete ${view.name}`}
                  onClick={() => saving.mutate({ removeTags: [tagOf(view.name)] })}
                >
                  Delete
                </UnstyledButton>
              </Group>
            </Group>
          ))}
          <form
            onSubmit={(event) => {
              event.preventDefault()
              save()
            }}
          >
            <Group gap="xs" align="flex-end" wrap="nowrap">
              <TextInput
                size="xs"
                style={{ flex: 1 }}
                label={renamed === undefined ? 'Save this page as' : `New name of ${renamed}`}
                value={name}
                maxLength={100}
                error={name !== '' && !isViewName(name) && 'Letters, digits, spaces and _ - . : only'}
                onChange={(event) => setName(event.currentTarget.value)}
              />
              <Button type="submit" size="xs" loading={saving.isPending} disabled={!isViewName(name)}>
                {renamed !== undefined ? 'Rename' : taken ? 'Replace' : 'Save'}
              </Button>
            </Group>
          </form>
          {saving.error !== null && <Problem error={saving.error} />}
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
