/** What of a page's address a saved view holds: which runs, how they are listed, how they are compared. */
const viewFields = [
  'tab',
  'search',
  'filter',
  'order',
  'columns',
  'group',
  'nested',
  'chart',
  'metric',
  'smooth',
  'along',
  'ylog',
  'xlog',
  'axes',
  'brush',
  'x',
  'y',
  'colour',
  'target',
] as const

type ViewState = Partial<Record<(typeof viewFields)[number], string | number | boolean>>

export interface SavedView {
  name: string
  state: ViewState
}

/** A view is a tag of its experiment, so that every client of MLflow carries it along. */
const prefix = 'pave.view.'

export const tagOf = (name: string): string => `${prefix}${name}`

/** What a tag may be called, less the part that all views begin with. */
export const isViewName = (name: string): boolean =>
  name.length <= 100 && /^[\p{L}\p{N}_\-:][\p{L}\p{N}_.\- :]*$/u.test(name) && name.trim() === name

export function viewsOf(tags: Readonly<Record<string, string>>): SavedView[] {
  return Object.entries(tags)
    .filter(([key]) => key.startsWith(prefix) && key.length > prefix.length)
    .flatMap(([key, text]) => {
      const state = stateOf(text)
      return state === undefined ? [] : [{ name: key.slice(prefix.length), state }]
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}

export function viewText(address: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(picked(address))
}

/** Every field of a view, so that applying one takes out of the address what the view does not say. */
export function addressOf(state: ViewState): Record<string, string | number | boolean | undefined> {
  return Object.fromEntries(viewFields.map((field) => [field, state[field]]))
}

/** Anybody may write a tag: what is no view is left out. */
function stateOf(text: string): ViewState | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? picked({ ...parsed }) : undefined
  } catch {
    return undefined
  }
}

function picked(from: Readonly<Record<string, unknown>>): ViewState {
  return Object.fromEntries(
    viewFields.flatMap((field) => {
      const value = from[field]
      const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      return plain && value !== '' ? [[field, value]] : []
    }),
  )
}
