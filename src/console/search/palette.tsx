import { Modal } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useCallback, useEffect, useId, useState } from 'react'
import { type SearchResult, search } from '../../platform/kernel/contract.ts'
import { read } from '../api.ts'
import { targetOf } from '../subject-link.tsx'
import { commandsOf, matching } from './commands.ts'
import styles from './palette.module.css'

interface PaletteProps {
  opened: boolean
  close(): void
  switchColours(): void
  showShortcuts(): void
}

interface Option {
  key: string
  kind: string
  title: string
  detail: string
  run(): void
}

/** Finds anything by a piece of its name, by an id or a digest; and does what can be done from anywhere. */
export function Palette({ opened, close, ...act }: PaletteProps) {
  return (
    <Modal
      opened={opened}
      onClose={close}
      withCloseButton={false}
      title="Search and commands"
      classNames={{ header: styles.unseen }}
      padding={0}
      size="lg"
      yOffset="12vh"
      transitionProps={{ duration: 80 }}
    >
      <Search close={close} {...act} />
    </Modal>
  )
}

const pauseMs = 120

function Search({ close, ...act }: Omit<PaletteProps, 'opened'>) {
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const [taking, setTaking] = useState(false)
  const [settled] = useDebouncedValue(text.trim().slice(0, 200), pauseMs)
  const found = useQuery({
    ...read(search, { text: settled, limit: 12 }),
    enabled: settled !== '',
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  })
  const list = useId()

  const things = text.trim() === '' ? [] : (found.data?.items ?? []).flatMap((one) => thingOf(one, navigate))
  const commands = matching(commandsOf(navigate, act), text).map(
    ({ title, run }): Option => ({ key: title, kind: 'command', title, detail: '', run }),
  )
  const options = [...things, ...commands]
  const looking = settled !== text.trim() || found.isPlaceholderData || found.isLoading
  const current = Math.min(chosen, options.length - 1)

  useEffect(() => {
    document.getElementById(`${list}-${current}`)?.scrollIntoView({ block: 'nearest' })
  }, [list, current])

  const take = useCallback(
    (option: Option | undefined) => {
      if (option === undefined) return
      close()
      option.run()
    },
    [close],
  )

  // What was pasted a moment ago has not been looked up yet: until then the first would be another text's.
  const first = options[current]
  useEffect(() => {
    if (!taking || looking) return
    setTaking(false)
    take(first)
  }, [taking, looking, first, take])

  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && options.length > 0) setChosen((current + step + options.length) % options.length)
    else if (event.key === 'Home') setChosen(0)
    else if (event.key === 'End') setChosen(options.length - 1)
    else if (event.key === 'Enter' && !event.nativeEvent.isComposing) setTaking(true)
    else return
    event.preventDefault()
  }

  return (
    <>
      <input
        className={styles.input}
        placeholder="Find a model, a run, an id, a digest; or type a command"
        aria-label="Search"
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={current >= 0 ? `${list}-${current}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
          setTaking(false)
        }}
        onKeyDown={onKeyDown}
        data-autofocus
      />
      <div id={list} role="listbox" aria-label="Found" className={styles.list}>
        {options.map((option, index) => (
          <div
            key={option.key}
            id={`${list}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === current}
            className={styles.option}
            onClick={() => take(option)}
            onKeyDown={onKeyDown}
            onMouseMove={() => setChosen(index)}
          >
            <span className={styles.kind}>{option.kind}</span>
            <span className={styles.title}>{option.title}</span>
            <span className={styles.detail}>{option.detail}</span>
          </div>
        ))}
      </div>
      <div role="status">
        {options.length === 0 && (
          <p className={styles.note}>
            {found.isFetching || settled !== text.trim()
              ? 'Looking …'
              : (found.error?.message ?? `Nothing that you may see is called ${text.trim()}.`)}
          </p>
        )}
      </div>
    </>
  )
}

function thingOf({ kind, id, title, detail }: SearchResult, navigate: ReturnType<typeof useNavigate>): Option[] {
  const target = targetOf(kind, id)
  if (target === undefined) return []
  return [{ key: `${kind}:${id}`, kind: kind.replaceAll('-', ' '), title, detail, run: () => void navigate(target) }]
}
