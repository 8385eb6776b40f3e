import { lazy, Suspense, useEffect, useState } from 'react'
import type { DialogProps } from './dialog-modal.tsx'

const load = () => import('./dialog-modal.tsx').then((module) => ({ default: module.DialogModal }))
const DialogModal = lazy(load)

/**
 * Something over the page. Dialogs are a fifth of the component library, so they come after the first page is shown; by
 * the time that somebody can press a button they are there.
 */
export function Dialog(props: DialogProps) {
  const [wanted, setWanted] = useState(props.opened)
  useEffect(() => {
    if (props.opened) setWanted(true)
  }, [props.opened])
  return wanted || props.opened ? (
    <Suspense>
      <DialogModal {...props} />
    </Suspense>
  ) : null
}

export const loadDialogs: () => Promise<unknown> = load
