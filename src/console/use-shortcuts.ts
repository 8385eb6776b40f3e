import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { everyRoom } from './rooms.ts'

/** How long after `g` the next key still says where to. */
const pauseMs = 1_500

/** What the keys of the whole console do; none of them while somebody types or a dialog is open. */
export function useShortcuts({ search, help }: { search: () => void; help: () => void }): void {
  const navigate = useNavigate()
  useEffect(() => {
    let going: number | undefined
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey) {
        event.preventDefault()
        return search()
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) return
      const went = going !== undefined
      window.clearTimeout(going)
      going = undefined
      const room = went ? everyRoom.find(({ key }) => key === event.key) : undefined
      if (room !== undefined) void navigate({ to: room.to })
      else if (event.key === 'g') {
        going = window.setTimeout(() => {
          going = undefined
        }, pauseMs)
      } else if (event.key === '/') search()
      else if (event.key === '?') help()
      else return
      event.preventDefault()
    }
    window.addEventListener('keydown', onKey)
    return () => {
      window.clearTimeout(going)
      window.removeEventListener('keydown', onKey)
    }
  }, [navigate, search, help])
}

function isBusy(target: EventTarget | null): boolean {
  const types = 'input, textarea, select, [contenteditable=true], [role=dialog] *'
  return target instanceof Element && target.matches(types)
}
