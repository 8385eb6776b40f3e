import { Button, Checkbox, Popover, ScrollArea, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { columnText, type RunColumn } from './run-columns.ts'

interface ColumnChoiceProps {
  /** What the runs have; the reader may name others. */
  known: readonly RunColumn[]
  shown: readonly RunColumn[]
  onChange: (columns: readonly string[]) => void
}

/** As many fields as a search tells of. */
const mostColumns = 90
const mostListed = 200

/** Which metrics, params and tags a table of runs has columns for. */
export function ColumnChoice({ known, shown, onChange }: ColumnChoiceProps) {
  const [search, setSearch] = useState('')
  const on = shown.map(columnText)
  const all = [...new Set([...on, ...known.map(columnText)])]
  const found = all.filter((name) => name.toLowerCase().includes(search.toLowerCase()))
  return (
    <Popover position="bottom-end" shadow="md" width={320} trapFocus>
      <Popover.Target>
        <Button variant="default">Columns ({on.length})</Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Columns">
        <Stack gap="xs">
          <TextInput
            type="search"
            size="xs"
            aria-label="Search columns"
            placeholder="Search columns"
            value={search}
            data-autofocus
            onChange={(event) => setSearch(event.currentTarget.value)}
          />
          <ScrollArea.Autosize mah={320} type="auto">
            <Stack gap={6} p={4}>
              {found.slice(0, mostListed).map((name) => (
                <Checkbox
                  key={name}
                  size="xs"
                  label={name}
                  styles={{ label: { overflowWrap: 'anywhere' } }}
                  checked={on.includes(name)}
                  disabled={!on.includes(name) && on.length >= mostColumns}
                  onChange={(event) =>
                    onChange(event.currentTarget.checked ? [...on, name] : on.filter((one) => one !== name))
                  }
                />
              ))}
              {found.length > mostListed && (
                <Text size="xs" c="dimmed">
                  and {found.length - mostListed} more: search for them
                </Text>
              )}
              {found.length === 0 && (
                <Text size="xs" c="dimmed">
                  The newest runs have no such metric, param or tag.
                </Text>
              )}
            </Stack>
          </ScrollArea.Autosize>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}
