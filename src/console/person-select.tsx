import { Select, type SelectProps } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { getPrincipal, listPrincipals } from '../modules/identity/contract.ts'
import { read } from './api.ts'

type Chosen = Pick<SelectProps, 'label' | 'placeholder' | 'required' | 'description' | 'w' | 'aria-label' | 'clearable'>

/** Chooses a principal by name, however many there are; `by` says whether the value is the name or the id. */
export function PersonSelect(
  props: Chosen & { by: 'id' | 'name'; value: string | null; onChange: (value: string | null) => void },
) {
  const { by, value, onChange, ...rest } = props
  const [typed, setTyped] = useState('')
  const [search] = useDebouncedValue(typed, 200)
  const found = useQuery({
    ...read(listPrincipals, { limit: 50, ...(search !== '' && { search }) }, ['user']),
    placeholderData: keepPreviousData,
  })
  const chosen = useQuery({ ...read(getPrincipal, { principal: value ?? '' }), enabled: by === 'id' && value !== null })
  const options = (found.data?.items ?? []).map((one) => ({ value: one[by], label: one.name }))
  const known = value === null || options.some((option) => option.value === value)
  return (
    <Select
      searchable
      data={known ? options : [{ value, label: by === 'id' ? (chosen.data?.name ?? value) : value }, ...options]}
      value={value}
      onChange={onChange}
      onSearchChange={setTyped}
      nothingFoundMessage="Nobody has that name"
      comboboxProps={{ withinPortal: true }}
      clearButtonProps={{ 'aria-label': 'Clear' }}
      {...rest}
    />
  )
}
