import { Button, Group, Stack, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'

/** As clients of MLflow call it. */
export const noteTag = 'mlflow.note.content'
/** The longest value of a tag. */
const longest = 8000

interface NoteProps {
  text: string | undefined
  save: (text: string) => Promise<unknown>
}

/** What somebody wrote about a run or experiment. It may be Markdown, and is shown as the text that it is. */
export function Note({ text = '', save }: NoteProps) {
  const [draft, setDraft] = useState<string>()
  const saving = useMutation({
    mutationFn: save,
    onSuccess: async () => {
      await queries.invalidateQueries()
      setDraft(undefined)
    },
  })
  if (draft === undefined) {
    return (
      <Group gap="xs" align="baseline">
        {text !== '' && (
          <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', maxWidth: '70ch' }}>
            {text}
          </Text>
        )}
        <Button size="compact-xs" variant="subtle" ml={text === '' ? -8 : 0} onClick={() => setDraft(text)}>
          {text === '' ? 'Add a note' : 'Edit the note'}
        </Button>
      </Group>
    )
  }
  return (
    <Stack gap="xs" maw={720}>
      <Textarea
        aria-label="Note"
        autosize
        minRows={3}
        maxRows={20}
        maxLength={longest}
        data-autofocus
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
      />
      {saving.error !== null && <Problem error={saving.error} />}
      <Group gap="xs">
        <Button size="xs" loading={saving.isPending} onClick={() => saving.mutate(draft)}>
          Save the note
        </Button>
        <Button size="xs" variant="default" onClick={() => setDraft(undefined)}>
          Cancel
        </Button>
      </Group>
    </Stack>
  )
}
