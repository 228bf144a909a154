import { expect, test } from 'vitest'
import { nextState, STARTING, type SubscriberChange, type SubscriberState } from '../src/subscriber-state.ts'

const changes: readonly SubscriberChange[] = [
  { name: 'joined' },
  { name: 'fell-behind' },
  { name: 'window-reset' },
  { name: 'ended', reason: 'kicked' },
  { name: 'transport-closed' },
]
const live: SubscriberState = { name: 'live' }
const closing: SubscriberState = { name: 'closing', reason: 'slow' }
const closed: SubscriberState = { name: 'closed', reason: 'slow' }

/** What each change makes of each state, in the order of `changes`; the same name: nothing changes. */
const table: readonly (readonly [SubscriberState, readonly string[]])[] = [
  [STARTING, ['live', 'catching-up', 'catching-up', 'closing', 'closed']],
  [live, ['live', 'catching-up', 'catching-up', 'closing', 'closed']],
  [closing, ['closing', 'closing', 'closing', 'closing', 'closed']],
  [closed, ['closed', 'closed', 'closed', 'closed', 'closed']],
]

test.each(table)('from $name each change leads where it must', (state, expected) => {
  expect(changes.map((change) => nextState(state, change).name)).toEqual(expected)
})

test('a stream that the hub ended keeps its reason when its transport closes', () => {
  expect(nextState(closing, { name: 'transport-closed' })).toEqual({ name: 'closed', reason: 'slow' })
})

test('a stream whose transport closes by itself was left by its client', () => {
  expect(nextState(live, { name: 'transport-closed' })).toEqual({ name: 'closed', reason: 'client' })
})
