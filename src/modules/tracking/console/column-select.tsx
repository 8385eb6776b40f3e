import { Select } from '@mantine/core'
import { columnText, type RunColumn } from './run-columns.ts'

interface ColumnSelectProps {
  label: string
  columns: readonly RunColumn[]
  value: RunColumn | undefined
  onChange: (name: string | undefined) => void
  clearable?: boolean
}

/** One of the params and metrics that runs have. */
export function ColumnSelect({ label, columns, value, onChange, clearable = false }: ColumnSelectProps) {
  return (
    <Select
      size="xs"
      label={label}
      searchable
      clearable={clearable}
      allowDeselect={clearable}
      w={180}
      data={columns.map(columnText)}
      value={value === undefined ? null : columnText(value)}
      onChange={(name) => onChange(name ?? undefined)}
    />
  )
}

/** The column of an address when it is among these; another one when it is not. */
export function chosenColumn(
  text: string | undefined,
  columns: readonly RunColumn[],
  otherwise?: RunColumn,
): RunColumn | undefined {
  return columns.find((column) => columnText(column) === text) ?? otherwise
}
