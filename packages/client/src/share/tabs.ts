import type { TabMessage } from './tab-message.ts'

/**
 * What a tab has of the others. A browser gives it by Web Locks, BroadcastChannel and page events; a test by simulation.
 *
 * Ending: what each method returns ends what it began, at once, and may be called more than once.
 * Errors: no method throws.
 */
export interface Tabs {
  /**
   * Waits for a lock, first come, first served, or takes it from whoever has it. `onHeld` is never called from within.
   * `onLost` is called at most once: another tab has taken it. The end of the tab gives it back, whatever ends it.
   */
  lock(name: string, isSteal: boolean, onHeld: () => void, onLost: () => void): () => void
  /** Messages come in the order in which they were sent, to all other tabs; a frozen tab may miss some. */
  channel(name: string, onMessage: (message: TabMessage) => void): TabChannel
  /** The page is about to stop running, without ending; and it runs again. */
  onSuspend(suspend: () => void, resume: () => void): () => void
}

export interface TabChannel {
  post(message: TabMessage): void
  close(): void
}
