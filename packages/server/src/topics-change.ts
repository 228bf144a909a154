import type { Selector } from '@millrace/protocol'

/** Who asks to change a stream: whoever opened it has its secret, from `stream:connected`, or is the same user. */
export type StreamOwner = { readonly secret: string } | { readonly user: string }

/** New topics for an open stream. */
export interface TopicsChange {
  /** All topics and patterns from now on, already granted. At least one. */
  readonly selectors: readonly Selector[]
  /** Which change this is: a lower one than the last is not applied. An integer from 0. */
  readonly revision: number
  /** What a stream gets of the past of topics that are new to it: nothing, or the last event of each. @default 'now' */
  readonly from?: 'now' | 'snapshot'
  readonly owner: StreamOwner
}

/**
 * - `changed`: `stream:topics` follows on the stream when the change has been applied.
 * - `gone`: this process has no open stream of that name.
 * - `not-owner`: the secret or the user is not the stream's.
 * - `stale`: a change with a higher revision was applied, or another with the same; `revision` says which.
 */
export type TopicsChanged =
  | { readonly kind: 'changed' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'not-owner' }
  | { readonly kind: 'stale'; readonly revision: number }

/** Compares in a time that does not tell how much of a guess was right. */
export function isSameSecret(one: string, other: string): boolean {
  let difference = one.length ^ other.length
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i)
  return difference === 0
}
