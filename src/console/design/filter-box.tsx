import { TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'

interface FilterBoxProps {
  value: string
  onChange: (filter: string) => void
  placeholder: string
  /** What may be asked for. */
  title: string
  wrong?: boolean
}

/** A filter as clients of MLflow write it. Half a filter means nothing, so it is sent with Enter, or when the field is left. */
export function FilterBox({ value, onChange, placeholder, title, wrong = false }: FilterBoxProps) {
  const [text, setText] = useState(value)
  // The address may change by itself: the browser's back button.
  useEffect(() => setText(value), [value])
  const send = () => {
    if (text.trim() !== value) onChange(text.trim())
  }
  return (
    <form
      style={{ flex: '1 1 20rem' }}
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      <TextInput
        type="search"
        aria-label="Filter"
        placeholder={placeholder}
        title={title}
        value={text}
        maxLength={10_000}
        spellCheck={false}
        autoCapitalize="off"
        ff="monospace"
        error={wrong}
        withErrorStyles={false}
        styles={wrong ? { input: { borderColor: 'var(--bad)' } } : {}}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={send}
      />
    </form>
  )
}
