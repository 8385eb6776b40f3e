import { Modal } from '@mantine/core'
import type { ReactNode } from 'react'

export interface DialogProps {
  opened: boolean
  onClose: () => void
  title: string
  closeLabel?: string
  /** Not closed by a click beside it. */
  stubborn?: boolean
  children: ReactNode
}

export function DialogModal({ opened, onClose, title, closeLabel = 'Close', children, stubborn = false }: DialogProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      centered
      closeOnClickOutside={!stubborn}
      closeButtonProps={{ 'aria-label': closeLabel }}
    >
      {children}
    </Modal>
  )
}
