import { Button, Code, Group, Text } from '@mantine/core'
import { useRef, useState } from 'react'

/** Something that is shown once: to be copied now. */
export function Secret({ label, value }: { label: string; value: string }) {
  const text = useRef<HTMLElement>(null)
  const [copied, setCopied] = useState(false)

  async function copy() {
    // The clipboard is lent to secure pages only; elsewhere the text is chosen, ready to be copied by hand.
    if (text.current !== null) window.getSelection()?.selectAllChildren(text.current)
    if (!window.isSecureContext) return
    await navigator.clipboard.writeText(value)
    setCopied(true)
  }

  return (
    <div>
      <Text size="sm" fw={550}>
        {label}
      </Text>
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Code block ref={text} style={{ flex: 1, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
          {value}
        </Code>
        <Button size="xs" variant="default" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
      </Group>
      <Text size="sm" c="dimmed">
        It is shown only now: Pave keeps no copy.
      </Text>
    </div>
  )
}
