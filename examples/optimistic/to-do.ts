/** A list of things to do, and its rules. Server and clients apply the same ones. */
export interface ToDo {
  readonly id: string
  readonly text: string
  readonly isDone: boolean
}

export type ToDoList = readonly ToDo[]

/** `after` is the id of the thing that it comes after; null is the top. */
export type Change =
  | { readonly kind: 'add'; readonly id: string; readonly text: string; readonly after: string | null }
  | { readonly kind: 'rename'; readonly id: string; readonly text: string }
  | { readonly kind: 'move'; readonly id: string; readonly after: string | null }
  | { readonly kind: 'finish'; readonly id: string }
  | { readonly kind: 'remove'; readonly id: string }

const MAX_TEXT_LENGTH = 80
const MAX_COUNT = 100

/** Why the rules do not allow a change; undefined when they do. */
export function refusalOf(list: ToDoList, change: Change): string | undefined {
  const { kind, id } = change
  const found = list.find((one) => one.id === id)
  if (kind === 'add' ? found : !found)
    return kind === 'add' ? `${id} is there already.` : `${id} is not there any more.`
  if (kind === 'add' && list.length >= MAX_COUNT) return `There are ${MAX_COUNT} things to do: do one first.`
  if (kind === 'rename' && found?.isDone) return `${id} is done: it keeps its name.`
  if ('text' in change && (change.text === '' || change.text.length > MAX_TEXT_LENGTH)) {
    return `The text has ${change.text.length} characters: give 1 to ${MAX_TEXT_LENGTH}.`
  }
  if ('after' in change && change.after !== null) {
    if (change.after === id || !list.some((one) => one.id === change.after)) {
      return `It cannot come after ${change.after}, which is not there.`
    }
  }
  return undefined
}

/** The list after a change; undefined when the rules do not allow it. */
export function applyChange(list: ToDoList, change: Change): ToDoList | undefined {
  if (refusalOf(list, change) !== undefined) return undefined
  const { id } = change
  const others = list.filter((one) => one.id !== id)
  const found = list.find((one) => one.id === id)
  switch (change.kind) {
    case 'add':
      return inserted(list, { id, text: change.text, isDone: false }, change.after)
    case 'rename':
      return list.map((one) => (one.id === id ? { ...one, text: change.text } : one))
    case 'move':
      return found && inserted(others, found, change.after)
    case 'finish':
      return list.map((one) => (one.id === id ? { ...one, isDone: true } : one))
    case 'remove':
      return others
  }
}

function inserted(list: ToDoList, toDo: ToDo, after: string | null): ToDoList {
  const at = list.findIndex(({ id }) => id === after) + 1
  return list.toSpliced(at, 0, toDo)
}

/** A change that came from elsewhere; undefined when it is none. */
export function readChange(value: unknown): Change | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { kind, id, text, after } = value as Readonly<Record<string, unknown>>
  if (typeof id !== 'string' || id === '') return undefined
  const isPlace = after === null || typeof after === 'string'
  if (kind === 'finish' || kind === 'remove') return { kind, id }
  if (kind === 'move') return isPlace ? { kind, id, after } : undefined
  if (typeof text !== 'string') return undefined
  if (kind === 'rename') return { kind, id, text }
  return kind === 'add' && isPlace ? { kind, id, text, after } : undefined
}
