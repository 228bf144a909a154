import type { FeedEvent, FeedStatus, MissedNotice } from '../stream/event-feed.ts'

/**
 * How the tabs of an origin share one connection: what they say to each other over a channel that all of them hear.
 *
 * **Who shares.** Tabs with equal keys (`share-key.ts`): equal URL, and equal options as far as a server sees them. Each
 * holds a Web Lock of its own while it takes part, so that the leader learns of its end, whatever ends it.
 *
 * **Roles.** A tab is one of
 * - `alone`: it has a connection of its own, as without sharing, or is about to open one. So does each tab begin.
 * - `leading`: it holds the lock of the key; its own connection asks for the topics of all members of the roster, and it
 *   tells everybody what comes. One tab at a time; a tab that is alone, or follows, becomes it when it is given the lock.
 * - `following`: it has no connection, and takes what the leader tells.
 *
 * **The rule of handing over.** A tab may follow from an id on when (1) the leader's roster has held its topics since that
 * id or an earlier one, and (2) the tab has everything up to that id: events, and the values of state topics, which each new
 * connection brings. A tab for which this is not so gets it so by a short connection of its own, from its own last id, as a lone
 * client would: when it starts, when it wants new topics, when it has missed messages, when it cannot keep up. What the
 * leader tells meanwhile waits in a bounded buffer. So a start with any `from` or `lastId`, state values, gaps and
 * refusals are the server's affair with one client, and need no words between tabs.
 *
 * **What is never twice.** An entry whose id is not newer than what the tab has is left out (ids of a hub have an order
 * within an epoch). Tabs that got ahead of a new leader leave out what it is told again.
 *
 * **Change of leader.** The lock goes to the next in its queue when the leader closes, crashes, is frozen, or enters the
 * back/forward cache. It resumes from its own last id with the topics of the roster it knows. Tabs at that id or a later one
 * follow on; others first catch up. A leader that is silent and does not answer a `join` has its lock stolen. One that
 * wakes up after that finds its lock lost, and until it does its terms are older than what the others have heard of.
 *
 * **Where it does not work.** Events that name no topic, or ids that are not a hub's: such tabs go on alone.
 */
export type TabMessage = JoinMessage | StateMessage | EntryMessage

/** From a tab: take me in with these topics. Also asks whether anybody leads: the leader answers with its state. */
export interface JoinMessage {
  readonly kind: 'join'
  readonly tab: string
  readonly topics: readonly string[]
  /** Somebody looks at the tab: a good moment to try. */
  readonly isWake: boolean
}

/** Members by tab, with the topics that the leader's connection asks for because of them. */
export type Roster = Readonly<Record<string, readonly string[]>>

/** From the leader: when its term begins, when the roster or the status changes, and as the answer to a join. */
export interface StateMessage {
  readonly kind: 'state'
  /** Rises with each leader. Who has heard of a newer one hears this one no more. */
  readonly term: number
  /** Entries told in this term so far: who has had fewer has missed some. */
  readonly count: number
  /** The leader's last id: from here on, at the latest, its connection asks for the topics of the roster. */
  readonly at: string
  readonly roster: Roster
  readonly status: FeedStatus
}

/** From the leader: something has come. */
export interface EntryMessage extends TabEntry {
  readonly kind: 'entry'
  readonly term: number
  readonly count: number
}

/** An event, a gap, or only a new id. */
export interface TabEntry {
  /** The id in force after it. */
  readonly id: string
  /** Whether the id came with it. Ephemeral events, and values that come late, have none. */
  readonly isOwn: boolean
  readonly event?: FeedEvent | undefined
  readonly missed?: MissedNotice | undefined
}
