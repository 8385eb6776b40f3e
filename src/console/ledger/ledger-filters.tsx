import { Button, Group, Select, TextInput } from '@mantine/core'
import type { z } from 'zod'
import { SearchBox } from '../design/search-box.tsx'
import { PersonSelect } from '../person-select.tsx'
import type { LedgerView } from './ledger-view.ts'

type View = z.output<typeof LedgerView>

const outcomes = ['done', 'pending', 'refused', 'failed'] as const

/** What is shown of the ledger; all of it stands in the address. */
export function LedgerFilters(props: {
  view: View
  change: (fields: { [Field in keyof View]?: View[Field] | undefined }) => void
}) {
  const { view, change } = props
  const none = Object.values(view).every((value) => value === undefined)
  return (
    <Group gap="xs" component="search" aria-label="Filter the ledger">
      <SearchBox
        label="Operation, such as start-release"
        value={view.operation ?? ''}
        onChange={(operation) => change({ operation: operation.trim() || undefined })}
      />
      <SearchBox
        label="Subject, such as model:flight-delays"
        value={view.subject ?? ''}
        onChange={(subject) => change({ subject: subject.trim() || undefined })}
      />
      <PersonSelect
        by="id"
        aria-label="By whom"
        placeholder="By anybody"
        clearable
        w={170}
        value={view.actor ?? null}
        onChange={(actor) => change({ actor: actor ?? undefined })}
      />
      <Select
        aria-label="Outcome"
        placeholder="Any outcome"
        clearable
        w={140}
        data={outcomes}
        value={view.outcome ?? null}
        onChange={(outcome) => change({ outcome: outcomes.find((one) => one === outcome) })}
        clearButtonProps={{ 'aria-label': 'Any outcome' }}
      />
      <MomentInput label="From" value={view.from} onChange={(from) => change({ from })} />
      <MomentInput label="Until" value={view.until} onChange={(until) => change({ until })} />
      {!none && (
        <Button
          variant="subtle"
          size="compact-sm"
          onClick={() =>
            change({
              operation: undefined,
              subject: undefined,
              actor: undefined,
              outcome: undefined,
              from: undefined,
              until: undefined,
            })
          }
        >
          Show all
        </Button>
      )}
    </Group>
  )
}

/** A moment in the reader's own time zone. */
function MomentInput(props: {
  label: string
  value: string | undefined
  onChange: (value: string | undefined) => void
}) {
  const { label, value, onChange } = props
  return (
    <TextInput
      type="datetime-local"
      aria-label={`${label}, in your time zone`}
      leftSection={label}
      leftSectionWidth={52}
      w={250}
      value={value === undefined ? '' : localOf(value)}
      onChange={(event) => {
        const typed = event.currentTarget.value
        const at = new Date(typed)
        if (typed === '') onChange(undefined)
        else if (!Number.isNaN(at.getTime())) onChange(at.toISOString())
      }}
    />
  )
}

/** As the field wants it: local time to the minute, without a zone. */
function localOf(instant: string): string {
  const at = new Date(instant)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
