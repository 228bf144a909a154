import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  accept,
  confirm,
  propose,
  refuse,
  replace,
  shown,
  type ConfirmedChange,
  type OptimisticState,
} from '../../examples/optimistic/optimistic-state.ts'
import { applyChange, type Change, type ToDoList } from '../../examples/optimistic/to-do.ts'

type State = OptimisticState<ToDoList, Change>

const empty: State = { confirmed: [], version: 0, pending: [] }
const add = (id: string, after: string | null = null): Change => ({ kind: 'add', id, text: id, after })
const ids = (state: State): string =>
  shown(state, applyChange)
    .map(({ id }) => id)
    .join(' ')
const event = (version: number, key: string, change: Change): ConfirmedChange<Change> => ({ version, key, change })

test('a change is shown at once, and is not confirmed by that', () => {
  const state = propose(empty, 'k', add('milk'))
  expect(ids(state)).toBe('milk')
  expect(state.confirmed).toEqual([])
})

test('what somebody else has changed before goes below: the order becomes the one of the server', () => {
  let state = propose(empty, 'mine', add('milk'))
  state = confirm(state, event(1, 'theirs', add('bread')), applyChange)
  expect(ids(state)).toBe('milk bread')
  state = confirm(state, event(2, 'mine', add('milk')), applyChange)
  expect(ids(state)).toBe('milk bread')
  expect(state.pending).toEqual([])
})

test('a refused change is gone without a trace, and what came after it is kept where it still makes sense', () => {
  let state = propose(empty, '1', add('milk'))
  state = propose(state, '2', { kind: 'rename', id: 'milk', text: 'Oat milk' })
  state = propose(state, '3', add('bread'))
  state = refuse(state, '1')
  expect(ids(state)).toBe('bread')
  expect(state.pending.map(({ key }) => key)).toEqual(['2', '3'])
})

test('an answer that comes before the event leaves the change where it is seen', () => {
  let state = accept(propose(empty, 'k', add('milk')), 'k', 1)
  expect(ids(state)).toBe('milk')
  expect(state.pending).toHaveLength(1)
  state = confirm(state, event(1, 'k', add('milk')), applyChange)
  expect(state).toMatchObject({ version: 1, pending: [] })
})

test('an answer that comes after the event changes nothing', () => {
  const state = confirm(propose(empty, 'k', add('milk')), event(1, 'k', add('milk')), applyChange)
  expect(accept(state, 'k', 1)).toEqual(state)
})

test('a state fetched anew has what was answered up to it; the rest stays pending until its answer', () => {
  let state = propose(propose(empty, 'answered', add('milk')), 'lost', add('bread'))
  state = accept(state, 'answered', 1)
  const [milk, bread] = [...(applyChange([], add('milk')) ?? []), ...(applyChange([], add('bread')) ?? [])]
  state = replace(state, [bread!, milk!], 2)
  expect(state.pending.map(({ key }) => key)).toEqual(['lost'])
  expect(ids(state)).toBe('bread milk')
  expect(accept(state, 'lost', 2).pending).toEqual([])
})

test('an event that a fetched state has already is left out, and ends the wait for it', () => {
  const state = replace(propose(empty, 'k', add('milk')), applyChange([], add('milk')) ?? [], 1)
  expect(confirm(state, event(1, 'k', add('milk')), applyChange)).toEqual({ ...state, pending: [] })
})

describe('a stream that does not fit is no reason to guess', () => {
  test('versions are missing', () => {
    expect(() => confirm(empty, event(2, 'k', add('milk')), applyChange)).toThrow('Version 2 does not go on from')
  })

  test('a confirmed change cannot be applied', () => {
    expect(() => confirm(empty, event(1, 'k', { kind: 'remove', id: 'milk' }), applyChange)).toThrow(RangeError)
  })
})

test('whatever is lost, late and refused, all end with the list of the server, and nothing pending', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd')
  const after = fc.option(id)
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), id, text: fc.constantFrom('x', ''), after }),
    fc.record({ kind: fc.constant('rename' as const), id, text: fc.constantFrom('y', 'z') }),
    fc.record({ kind: fc.constant('move' as const), id, after }),
    fc.record({ kind: fc.constantFrom('finish' as const, 'remove' as const), id }),
  )
  const client = fc.constantFrom(0, 1, 2)
  const step = fc.oneof(
    fc.record({ does: fc.constant('change' as const), client, change }),
    fc.record({ does: fc.constantFrom('ask' as const, 'lose' as const, 'hear' as const, 'fetch' as const), client }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const world = new World()
      for (const one of steps) {
        if (one.does === 'change') world.change(one.client, one.change)
        else world[one.does](one.client)
      }
      for (const i of [0, 1, 2]) world.finish(i)
      for (const state of world.clients) {
        expect(state.pending).toEqual([])
        expect(shown(state, applyChange)).toEqual(world.list)
      }
      expect(new Set(world.events.map(({ key }) => key)).size).toBe(world.events.length)
    }),
    { seed: 20_261_125, numRuns: 2_000 },
  )
})

/** A server and three clients; nothing happens by itself. */
class World {
  list: ToDoList = []
  readonly events: ConfirmedChange<Change>[] = []
  readonly clients: State[] = [empty, empty, empty]
  readonly #answers = new Map<string, number | undefined>()
  #keys = 0

  change(i: number, change: Change): void {
    this.#set(i, propose(this.#of(i), `k${this.#keys++}`, change))
  }

  /** Asks for the oldest change without an answer, and gets one. */
  ask(i: number): void {
    const asked = this.lose(i)
    if (!asked) return
    this.#set(
      i,
      asked.version === undefined ? refuse(this.#of(i), asked.key) : accept(this.#of(i), asked.key, asked.version),
    )
  }

  /** Asks, and the answer is lost. */
  lose(i: number): { readonly key: string; readonly version: number | undefined } | undefined {
    const next = this.#of(i).pending.find(({ version }) => version === undefined)
    if (!next) return undefined
    const { key, change } = next
    if (!this.#answers.has(key)) {
      const list = applyChange(this.list, change)
      if (list) {
        this.list = list
        this.events.push({ key, change, version: this.events.length + 1 })
      }
      this.#answers.set(key, list && this.events.length)
    }
    return { key, version: this.#answers.get(key) }
  }

  /** The next event of the stream comes. */
  hear(i: number): void {
    const next = this.events[this.#of(i).version]
    if (next) this.#set(i, confirm(this.#of(i), next, applyChange))
  }

  fetch(i: number): void {
    this.#set(i, replace(this.#of(i), this.list, this.events.length))
  }

  finish(i: number): void {
    while (this.#of(i).pending.some(({ version }) => version === undefined)) this.ask(i)
    for (const one of [0, 1, 2]) while (this.#of(one).version < this.events.length) this.hear(one)
  }

  #of(i: number): State {
    return this.clients[i]!
  }

  #set(i: number, state: State): void {
    this.clients[i] = state
  }
}
