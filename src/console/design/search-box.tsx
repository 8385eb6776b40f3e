import { TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useEffect, useRef, useState } from 'react'

/** A field to search a list by; what is typed arrives when the typing pauses. */
export function SearchBox(props: { label: string; value: string; onChange: (value: string) => void }) {
  const { label, value, onChange } = props
  const [text, setText] = useState(value)
  const told = useRef(value)
  const tell = useDebouncedCallback((typed: string, page: string) => {
    // Whoever has gone on to another page meanwhile searches nothing there.
    if (window.location.pathname !== page) return
    told.current = typed
    onChange(typed)
  }, 250)
  // The address may change by itself: the browser's back button.
  useEffect(() => {
    if (value === told.current) return
    told.current = value
    setText(value)
  }, [value])
  return (
    <TextInput
      type="search"
      aria-label={label}
      placeholder={label}
      value={text}
      maxLength={200}
      w={{ base: '100%', xs: 280 }}
      onChange={(event) => {
        setText(event.currentTarget.value)
        tell(event.currentTarget.value, window.location.pathname)
      }}
    />
  )
}
