import { TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'

/** Half a filter means nothing, so it is sent with Enter, or when the field is left. */
export function TraceFilterBox({ value, onChange }: { value: string; onChange: (filter: string) => void }) {
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
        placeholder="span.name = 'retrieve' and execution_time > 1000"
        title="As clients of MLflow write it: trace, tags, metadata, span, feedback and expectation, joined by and, or, not"
        value={text}
        maxLength={10_000}
        spellCheck={false}
        autoCapitalize="off"
        ff="monospace"
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={send}
      />
    </form>
  )
}
