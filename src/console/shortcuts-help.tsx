import { Kbd, Modal, Table, Text } from '@mantine/core'
import { everyRoom } from './rooms.ts'

const keys: readonly [string, readonly string[]][] = [
  ['Search everything, run a command', ['Ctrl', 'K']],
  ['The same', ['/']],
  ['This help', ['?']],
  ['Close what lies over the page', ['Esc']],
  ...everyRoom.map(({ title, key }): [string, string[]] => [title, ['g', key]]),
]

export function ShortcutsHelp({ opened, close }: { opened: boolean; close: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      title="Keyboard shortcuts"
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Table aria-label="Keyboard shortcuts">
        <Table.Tbody>
          {keys.map(([what, pressed]) => (
            <Table.Tr key={what}>
              <Table.Td>{what}</Table.Td>
              <Table.Td ta="right">
                {pressed.map((key) => (
                  <Kbd key={key} ml={4}>
                    {key}
                  </Kbd>
                ))}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="sm" c="dimmed" mt="sm">
        On a Mac, ⌘ stands for Ctrl. Keys one after the other, such as g and m, are pressed in turn.
      </Text>
    </Modal>
  )
}
