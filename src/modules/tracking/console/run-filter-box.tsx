import { TextInput } from '@mantine/core'
import { useEffect, useState } from 'react'

/** Finds runs by what was logged. Half a filter means nothing, so it is sent with Enter, or when the field is left. */
export function RunFilterBox(props: { value: string; wrong: boolean; onChange: (filter: string) => void }) {
  const { value, wrong, onChange } = props
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
        placeholder="metrics.auc > 0.7 and params.depth = '6'"
        title="As clients of MLflow write it: metrics, params, tags and attributes, joined by and"
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
