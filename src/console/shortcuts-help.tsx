import { Kbd, Text } from '@mantine/core'
import { Dialog } from './design/dialog.tsx'
import tables from './design/tables.module.css'
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
    <Dialog opened={opened} onClose={close} title="Keyboard shortcuts">
      <table className={tables.table} aria-label="Keyboard shortcuts">
        <tbody>
          {keys.map(([what, pressed]) => (
            <tr key={what}>
              <td>{what}</td>
              <td className={tables.number}>
                {pressed.map((key) => (
                  <Kbd key={key} ml={4}>
                    {key}
                  </Kbd>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Text size="sm" c="dimmed" mt="sm">
        On a Mac, ⌘ stands for Ctrl. Keys one after the other, such as g and m, are pressed in turn.
      </Text>
    </Dialog>
  )
}
